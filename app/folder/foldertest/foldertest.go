// Package foldertest has what tests need instead of real disks and people: a
// [folder.Tree] in memory that fails on demand, forgets what was not synced
// when its power is cut, and knows no time but the caller's; users who change
// files; and the test that each Tree must pass. It does not know the engine
// above the Tree.
package foldertest
