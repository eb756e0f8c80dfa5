package assets

import (
	"embed"
	"fmt"
	"slices"
)

// The icons' sources are the .svg beside them; `make icons` draws the .png and
// the .ico from them. The window's library draws circles and open paths wrongly,
// so glyphs are flat closed paths and everything else is a picture.
//
//go:embed icons/png icons/ui
var iconFiles embed.FS

// iconSizes are the sizes of the program's icon, in pixels.
var iconSizes = []int{16, 24, 32, 48, 64, 128, 256, 512}

// Icon is the program's icon as PNG: the smallest that is at least size pixels
// wide, or the largest there is.
func Icon(size int) []byte {
	i, _ := slices.BinarySearch(iconSizes, size)
	return picture(fmt.Sprintf("png/foldpost-%d.png", iconSizes[min(i, len(iconSizes)-1)]))
}

// TrayStates are the states that TrayIcon draws. They differ in shape, not by
// colour alone.
var TrayStates = []string{"idle", "syncing", "attention", "paused", "offline"}

// TrayIcon is the icon of one of TrayStates for a panel, as PNG of 64 pixels.
func TrayIcon(state string, darkPanel bool) []byte {
	panel := "light"
	if darkPanel {
		panel = "dark"
	}
	return picture("png/tray-" + state + "-" + panel + ".png")
}

// Glyph is a flat picture of the window in one colour, as SVG: the name of a
// file in icons/ui.
func Glyph(name string) []byte { return picture("ui/" + name + ".svg") }

func picture(name string) []byte {
	b, err := iconFiles.ReadFile("icons/" + name)
	if err != nil {
		panic(err) // a name that nobody drew; the tests ask for all of them
	}
	return b
}
