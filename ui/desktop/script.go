package desktop

import "strings"

// inScript makes a notice's text harmless where Fyne shows notices by a script
// (v2.7.1, app/app_windows.go): it puts the text between double quotes and
// escapes ` and " alone, but PowerShell runs what is in $(...) there, and takes
// typographic quotes for the end. Notices hold names that strangers chose.
func inScript(text string) string { return scripted.Replace(text) }

var scripted = strings.NewReplacer("$", "＄", "`", "'", `"`, "'", "“", "'", "”", "'", "„", "'", "\x00", "")
