package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"image/color"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Surfaces that text stands on, and the colours of text on any of them.
var (
	surfaces = []fyne.ThemeColorName{
		theme.ColorNameBackground, theme.ColorNameOverlayBackground, theme.ColorNameMenuBackground, theme.ColorNameHeaderBackground,
		theme.ColorNameInputBackground, theme.ColorNameDisabledButton, colorCard, colorNotice, colorSidebar, colorWords,
	}
	inks = []fyne.ThemeColorName{
		theme.ColorNameForeground, theme.ColorNamePlaceHolder, theme.ColorNameDisabled, theme.ColorNameHyperlink,
		theme.ColorNamePrimary, theme.ColorNameError, theme.ColorNameSuccess, theme.ColorNameWarning,
	}
	// filled buttons, and what is written on them
	filled = map[fyne.ThemeColorName]fyne.ThemeColorName{
		theme.ColorNameButton:  theme.ColorNameForeground,
		theme.ColorNamePrimary: theme.ColorNameForegroundOnPrimary,
		theme.ColorNameError:   theme.ColorNameForegroundOnError,
		theme.ColorNameSuccess: theme.ColorNameForegroundOnSuccess,
		theme.ColorNameWarning: theme.ColorNameForegroundOnWarning,
	}
	// what is laid over a surface or button while it is pointed at, focused …
	veils = []fyne.ThemeColorName{theme.ColorNameHover, theme.ColorNameFocus}
)

// TestContrast: each text is readable on each surface (WCAG 2.2, 1.4.3), and
// what one types into stands out from it (1.4.11).
func TestContrast(t *testing.T) {
	for name, p := range map[string]palette{"light": light, "dark": dark} {
		check := func(ink, on fyne.ThemeColorName, surface color.NRGBA, least float64) {
			t.Helper()
			if got := contrast(p[ink], surface); got < least {
				t.Errorf("%s: contrast of %s on %s is %.2f, want %.1f", name, ink, on, got, least)
			}
		}
		for _, s := range surfaces {
			for _, ink := range inks {
				check(ink, s, p[s], 4.5)
			}
			check(theme.ColorNameInputBorder, s, p[s], 3)
			for _, v := range veils {
				check(theme.ColorNameForeground, s+" under "+v, over(p[v], p[s]), 4.5)
			}
			check(theme.ColorNameForeground, s+" under selection", over(p[theme.ColorNameSelection], p[s]), 4.5)
		}
		for button, ink := range filled {
			check(ink, button, p[button], 4.5)
			for _, v := range veils {
				check(ink, button+" under "+v, over(p[v], p[button]), 4.5)
			}
		}
	}
}

// TestPalettes: both know every colour, and none is Fyne's.
func TestPalettes(t *testing.T) {
	for _, name := range []fyne.ThemeColorName{
		theme.ColorNameBackground, theme.ColorNameButton, theme.ColorNameDisabledButton, theme.ColorNameDisabled, theme.ColorNameError,
		theme.ColorNameFocus, theme.ColorNameForeground, theme.ColorNameForegroundOnError, theme.ColorNameForegroundOnPrimary,
		theme.ColorNameForegroundOnSuccess, theme.ColorNameForegroundOnWarning, theme.ColorNameHeaderBackground, theme.ColorNameHover,
		theme.ColorNameHyperlink, theme.ColorNameInputBackground, theme.ColorNameInputBorder, theme.ColorNameMenuBackground,
		theme.ColorNameOverlayBackground, theme.ColorNamePlaceHolder, theme.ColorNamePressed, theme.ColorNamePrimary, theme.ColorNameScrollBar,
		theme.ColorNameScrollBarBackground, theme.ColorNameSelection, theme.ColorNameSeparator, theme.ColorNameShadow, theme.ColorNameSuccess,
		theme.ColorNameWarning,
		colorCard, colorNotice, colorSidebar, colorWords,
	} {
		for variant, p := range map[string]palette{"light": light, "dark": dark} {
			if _, ok := p[name]; !ok {
				t.Errorf("the %s palette has no %s", variant, name)
			}
		}
	}
}

func contrast(a, b color.NRGBA) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(c color.NRGBA) float64 {
	part := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*part(c.R) + 0.7152*part(c.G) + 0.0722*part(c.B)
}

// over is a colour laid over an opaque one.
func over(c, below color.NRGBA) color.NRGBA {
	mix := func(a, b uint8) uint8 { return uint8((int(a)*int(c.A) + int(b)*(255-int(c.A))) / 255) }
	return color.NRGBA{mix(c.R, below.R), mix(c.G, below.G), mix(c.B, below.B), 0xff}
}

// TestGlyphsAreDrawn: each picture that the window asks for by name is there.
func TestGlyphsAreDrawn(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	pictures := os.DirFS(filepath.Join("..", "assets", "icons", "ui"))
	ask := func(where, name string) {
		if _, err := fs.Stat(pictures, name+".svg"); err != nil {
			t.Errorf("%s: there is no picture %q", where, name)
		}
	}
	for n, name := range ours {
		ask(string(n), name)
	}
	for _, file := range files {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			fn, ok := call.Fun.(*ast.Ident)
			lit, isLit := call.Args[0].(*ast.BasicLit)
			if ok && isLit && (fn.Name == "glyph" || fn.Name == "picture") {
				if name, err := strconv.Unquote(lit.Value); err == nil {
					ask(fset.Position(lit.Pos()).String(), name)
				}
			}
			return true
		})
	}
}
