package assets

import "embed"

//go:embed translations/*.json
var translations embed.FS

// Translation returns the window's texts in a language, as JSON from English
// text to its translation.
func Translation(language string) ([]byte, error) {
	return translations.ReadFile("translations/" + language + ".json")
}
