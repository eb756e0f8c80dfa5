package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// A Theme is how the window looks. Variant is "system", "light" or "dark".
type Theme struct {
	Variant string
}

// Colours that Fyne's widgets do not know.
const (
	colorCard    fyne.ThemeColorName = "card"
	colorNotice  fyne.ThemeColorName = "notice"
	colorSidebar fyne.ThemeColorName = "sidebar"
	colorWords   fyne.ThemeColorName = "words"
)

// Color implements fyne.Theme.
func (t Theme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	switch t.Variant {
	case "light":
		v = theme.VariantLight
	case "dark":
		v = theme.VariantDark
	}
	palette := light
	if v == theme.VariantDark {
		palette = dark
	}
	if c, ok := palette[name]; ok {
		return c
	}
	return theme.DefaultTheme().Color(name, v)
}

// Font implements fyne.Theme.
func (Theme) Font(s fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(s) }

// Icon implements fyne.Theme.
func (Theme) Icon(n fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(n) }

// Size implements fyne.Theme.
func (Theme) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case theme.SizeNameText:
		return 14
	case theme.SizeNameHeadingText:
		return 22
	case theme.SizeNameSubHeadingText:
		return 16
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius:
		return 7
	}
	return theme.DefaultTheme().Size(n)
}

func rgb(v uint32) color.Color {
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff}
}

var light = map[fyne.ThemeColorName]color.Color{
	theme.ColorNameBackground:          rgb(0xfbfaf7),
	theme.ColorNameForeground:          rgb(0x23262b),
	theme.ColorNamePlaceHolder:         rgb(0x5f6670),
	theme.ColorNamePrimary:             rgb(0x0f6f6a),
	theme.ColorNameForegroundOnPrimary: rgb(0xffffff),
	theme.ColorNameHyperlink:           rgb(0x0f6f6a),
	theme.ColorNameButton:              rgb(0xe9e6df),
	theme.ColorNameInputBackground:     rgb(0xffffff),
	theme.ColorNameInputBorder:         rgb(0x8b9098),
	theme.ColorNameOverlayBackground:   rgb(0xfbfaf7),
	theme.ColorNameSeparator:           rgb(0xddd8ce),
	colorCard:                          rgb(0xffffff),
	colorNotice:                        rgb(0xfdf0d5),
	colorSidebar:                       rgb(0xf1eee7),
	colorWords:                         rgb(0xe3f1ef),
}

var dark = map[fyne.ThemeColorName]color.Color{
	theme.ColorNameBackground:          rgb(0x1b1e22),
	theme.ColorNameForeground:          rgb(0xeceae5),
	theme.ColorNamePlaceHolder:         rgb(0xa3a9b1),
	theme.ColorNamePrimary:             rgb(0x5cc4bb),
	theme.ColorNameForegroundOnPrimary: rgb(0x10211f),
	theme.ColorNameHyperlink:           rgb(0x5cc4bb),
	theme.ColorNameButton:              rgb(0x32373e),
	theme.ColorNameInputBackground:     rgb(0x14171a),
	theme.ColorNameInputBorder:         rgb(0x7a818b),
	theme.ColorNameOverlayBackground:   rgb(0x23272c),
	theme.ColorNameSeparator:           rgb(0x3a4048),
	colorCard:                          rgb(0x262a30),
	colorNotice:                        rgb(0x40361f),
	colorSidebar:                       rgb(0x16181c),
	colorWords:                         rgb(0x1d3533),
}

// glyph is one of the window's own pictures, in the colour of text.
func glyph(name string) fyne.Resource {
	i, ok := map[string]fyne.ThemeIconName{
		"home": theme.IconNameHome, "gear": theme.IconNameSettings, "info": theme.IconNameInfo, "plus": theme.IconNameContentAdd,
		"device": theme.IconNameComputer, "folder": theme.IconNameFolder, "person": theme.IconNameAccount, "letter": theme.IconNameMailCompose,
		"check": theme.IconNameConfirm, "warning": theme.IconNameWarning, "close": theme.IconNameCancel, "question": theme.IconNameQuestion,
		"history": theme.IconNameHistory, "pause": theme.IconNameMediaPause, "play": theme.IconNameMediaPlay, "copy": theme.IconNameContentCopy,
	}[name]
	if !ok {
		i = theme.IconNameQuestion
	}
	return theme.Current().Icon(i)
}
