package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"foldpost/assets"
)

// A Theme is how the window looks. Variant is "system", "light" or "dark".
type Theme struct {
	Variant string
}

// Color implements fyne.Theme.
func (t Theme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	switch t.Variant {
	case "light":
		v = theme.VariantLight
	case "dark":
		v = theme.VariantDark
	}
	p := light
	if v == theme.VariantDark {
		p = dark
	}
	if c, ok := p[name]; ok {
		return c
	}
	return theme.DefaultTheme().Color(name, v)
}

// Font implements fyne.Theme.
func (Theme) Font(s fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(s) }

// Size implements fyne.Theme.
func (Theme) Size(n fyne.ThemeSizeName) float32 {
	if s, ok := sizes[n]; ok {
		return s
	}
	return theme.DefaultTheme().Size(n)
}

var sizes = map[fyne.ThemeSizeName]float32{
	theme.SizeNameText:            14,
	theme.SizeNameHeadingText:     22,
	theme.SizeNameSubHeadingText:  16,
	theme.SizeNameCaptionText:     12,
	theme.SizeNameInputRadius:     8,
	theme.SizeNameSelectionRadius: 6,
	theme.SizeNameScrollBar:       10,
	theme.SizeNameScrollBarSmall:  4,
	theme.SizeNameScrollBarRadius: 4,
}

// Icon implements fyne.Theme: where Fyne's widgets show what we have drawn, it
// is ours.
func (Theme) Icon(n fyne.ThemeIconName) fyne.Resource {
	if name, ok := ours[n]; ok {
		return glyph(name)
	}
	return theme.DefaultTheme().Icon(n)
}

var ours = map[fyne.ThemeIconName]string{
	theme.IconNameCancel:       "close",
	theme.IconNameConfirm:      "check",
	theme.IconNameContentAdd:   "plus",
	theme.IconNameContentClear: "close",
	theme.IconNameContentCopy:  "copy",
	theme.IconNameDelete:       "trash",
	theme.IconNameError:        "warning",
	theme.IconNameInfo:         "info",
	theme.IconNameMailCompose:  "letter",
	theme.IconNameNavigateBack: "back",
	theme.IconNameNavigateNext: "next",
	theme.IconNameQuestion:     "question",
	theme.IconNameSearch:       "search",
	theme.IconNameVisibility:   "eye",
	theme.IconNameWarning:      "warning",
}

// glyph is one of the window's own pictures, in the colour of text: the name
// of a file in assets/icons/ui.
func glyph(name string) fyne.Resource {
	return theme.NewThemedResource(fyne.NewStaticResource(name+".svg", assets.Glyph(name)))
}
