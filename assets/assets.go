// Package assets holds what is built into the program but is not code: the
// letters that people read, the default ignore list and the pictures. It knows
// how a letter is worded and what a state looks like; it does not know how a
// letter is sealed or sent, or when a state holds, and imports nothing of ours.
package assets

import _ "embed" // for the files below

// Ignore is the default ignore list in gitignore syntax, applied before a
// folder's own rules. AppleDouble files (._*) and editors' backups (*~) are not
// in it: they hold what people may miss.
//
//go:embed foldpostignore
var Ignore string

// Download is the page where people get the program.
const Download = "https://foldpost.example/get"
