//go:build !nogui

package desktop

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// Where Windows looks for what opens a file or link, for this user alone.
const (
	classes   = `Software\Classes\`
	extension = ".foldpost"
	fileClass = "Foldpost.Invitation"
)

// register makes this program open invitations' files and links. Doing it
// again changes nothing, unless the program has moved.
func register() error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program: %w", err)
	}
	command := `"` + exe + `" -- "%1"` // one argument, never an option: links come from strangers
	if value(classes+fileClass+`\shell\open\command`) == command && value(classes+extension) == fileClass &&
		value(classes+name+`\shell\open\command`) == command {
		return nil
	}
	for _, v := range []struct{ key, name, text string }{
		{fileClass, "", title + " invitation"},
		{fileClass + `\DefaultIcon`, "", `"` + exe + `",0`},
		{fileClass + `\shell\open\command`, "", command},
		{extension, "", fileClass},
		{extension + `\OpenWithProgids`, fileClass, ""},
		{name, "", "URL:" + title + " invitation"},
		{name, "URL Protocol", ""},
		{name + `\DefaultIcon`, "", `"` + exe + `",0`},
		{name + `\shell\open\command`, "", command},
	} {
		if err := setValue(classes+v.key, v.name, v.text); err != nil {
			return err
		}
	}
	tellShell()
	return nil
}

// unregister takes back what register did.
func unregister() error {
	var errs []error
	for _, key := range []string{
		fileClass + `\DefaultIcon`, fileClass + `\shell\open\command`, fileClass + `\shell\open`, fileClass + `\shell`, fileClass,
		name + `\DefaultIcon`, name + `\shell\open\command`, name + `\shell\open`, name + `\shell`, name,
		extension + `\OpenWithProgids`, extension,
	} {
		if err := registry.DeleteKey(registry.CURRENT_USER, classes+key); err != nil && !errors.Is(err, registry.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove %s: %w", key, err))
		}
	}
	tellShell()
	return errors.Join(errs...)
}

// value is a key's own value, "" if there is none.
func value(key string) string {
	k, err := registry.OpenKey(registry.CURRENT_USER, key, registry.QUERY_VALUE)
	if err != nil {
		return ""
	}
	defer k.Close()
	s, _, err := k.GetStringValue("")
	if err != nil {
		return ""
	}
	return s
}

func setValue(key, name, text string) error {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, key, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("make %s: %w", key, err)
	}
	defer k.Close()
	if err := k.SetStringValue(name, text); err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}

var shChangeNotify = windows.NewLazySystemDLL("shell32.dll").NewProc("SHChangeNotify")

// tellShell makes the file manager look again (SHCNE_ASSOCCHANGED).
func tellShell() { shChangeNotify.Call(0x08000000, 0, 0, 0) }
