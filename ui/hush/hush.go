// Package hush keeps the standard log silent while other packages begin. Fyne
// complains there about systems without a language (LANG=C), in the output of
// every command. It knows nothing else; it is there to be imported, for its
// path comes before Fyne's in the order in which packages begin.
package hush

import (
	"io"
	"log"
)

func init() { log.SetOutput(io.Discard) }
