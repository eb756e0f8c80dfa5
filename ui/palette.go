package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Colours that Fyne's widgets do not know.
const (
	colorCard    fyne.ThemeColorName = "card"
	colorNotice  fyne.ThemeColorName = "notice" // what waits for a person
	colorSidebar fyne.ThemeColorName = "sidebar"
	colorWords   fyne.ThemeColorName = "words" // behind the six words
)

// A palette holds every colour of the window: none is Fyne's own. The colours
// are those of the icon: paper, the green of the folder and its dark back.
type palette map[fyne.ThemeColorName]color.NRGBA

// Fyne draws unimportant text in the colour "disabled", so that must be as
// readable as any. "focus", "hover" and "pressed" are laid over a surface.

var light = palette{
	theme.ColorNameBackground:          rgb(0xf8f5ef),
	theme.ColorNameOverlayBackground:   rgb(0xfdfbf7),
	theme.ColorNameMenuBackground:      rgb(0xfdfbf7),
	theme.ColorNameHeaderBackground:    rgb(0xefebe2),
	colorSidebar:                       rgb(0xefebe2),
	colorCard:                          rgb(0xffffff),
	colorNotice:                        rgb(0xfdf0d3),
	colorWords:                         rgb(0xe0f1ee),
	theme.ColorNameForeground:          rgb(0x1b282b),
	theme.ColorNamePlaceHolder:         rgb(0x596467),
	theme.ColorNameDisabled:            rgb(0x596467),
	theme.ColorNameHyperlink:           rgb(0x0b6a6c),
	theme.ColorNamePrimary:             rgb(0x0b6a6c),
	theme.ColorNameForegroundOnPrimary: rgb(0xffffff),
	theme.ColorNameError:               rgb(0xb02a1f),
	theme.ColorNameForegroundOnError:   rgb(0xffffff),
	theme.ColorNameSuccess:             rgb(0x1f6b3c),
	theme.ColorNameForegroundOnSuccess: rgb(0xffffff),
	theme.ColorNameWarning:             rgb(0x8a4a00),
	theme.ColorNameForegroundOnWarning: rgb(0xffffff),
	theme.ColorNameButton:              rgb(0xe8e3d8),
	theme.ColorNameDisabledButton:      rgb(0xf3f0e9),
	theme.ColorNameInputBackground:     rgb(0xffffff),
	theme.ColorNameInputBorder:         rgb(0x7a8284),
	theme.ColorNameSeparator:           rgb(0xdcd6ca),
	theme.ColorNameScrollBar:           rgba(0x1b282b, 0x66),
	theme.ColorNameScrollBarBackground: rgba(0x1b282b, 0x0c),
	theme.ColorNameHover:               rgba(0x0b4a50, 0x14),
	theme.ColorNameFocus:               rgba(0x0b3a40, 0x30),
	theme.ColorNamePressed:             rgba(0x0b3a40, 0x40),
	theme.ColorNameSelection:           rgba(0x1f9892, 0x48),
	theme.ColorNameShadow:              rgba(0x1b282b, 0x48),
}

var dark = palette{
	theme.ColorNameBackground:          rgb(0x161e21),
	theme.ColorNameOverlayBackground:   rgb(0x1d262a),
	theme.ColorNameMenuBackground:      rgb(0x263236),
	theme.ColorNameHeaderBackground:    rgb(0x101719),
	colorSidebar:                       rgb(0x101719),
	colorCard:                          rgb(0x273338),
	colorNotice:                        rgb(0x3d331c),
	colorWords:                         rgb(0x183a3a),
	theme.ColorNameForeground:          rgb(0xf0ece4),
	theme.ColorNamePlaceHolder:         rgb(0xaab4b5),
	theme.ColorNameDisabled:            rgb(0xaab4b5),
	theme.ColorNameHyperlink:           rgb(0x63cdc3),
	theme.ColorNamePrimary:             rgb(0x63cdc3),
	theme.ColorNameForegroundOnPrimary: rgb(0x0a2526),
	theme.ColorNameError:               rgb(0xff9c8f),
	theme.ColorNameForegroundOnError:   rgb(0x3b0d08),
	theme.ColorNameSuccess:             rgb(0x7fd49a),
	theme.ColorNameForegroundOnSuccess: rgb(0x0a2a15),
	theme.ColorNameWarning:             rgb(0xf5bd68),
	theme.ColorNameForegroundOnWarning: rgb(0x332000),
	theme.ColorNameButton:              rgb(0x344146),
	theme.ColorNameDisabledButton:      rgb(0x283236),
	theme.ColorNameInputBackground:     rgb(0x0d1214),
	theme.ColorNameInputBorder:         rgb(0x7f8b8d),
	theme.ColorNameSeparator:           rgb(0x38454a),
	theme.ColorNameScrollBar:           rgba(0xf0ece4, 0x66),
	theme.ColorNameScrollBarBackground: rgba(0xf0ece4, 0x0c),
	theme.ColorNameHover:               rgba(0xe0f5f2, 0x14),
	theme.ColorNameFocus:               rgba(0xe0f5f2, 0x30),
	theme.ColorNamePressed:             rgba(0xe0f5f2, 0x38),
	theme.ColorNameSelection:           rgba(0x63cdc3, 0x50),
	theme.ColorNameShadow:              rgba(0x000000, 0x90),
}

func rgb(v uint32) color.NRGBA { return rgba(v, 0xff) }

func rgba(v uint32, a uint8) color.NRGBA {
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), a}
}
