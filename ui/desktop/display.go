package desktop

import (
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"foldpost/app"
)

// CheckDisplay fails where there is nothing to draw on: Fyne would panic.
func CheckDisplay() error {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" || displayAnswers(os.Getenv("DISPLAY")) {
		return nil
	}
	return app.Errorf(app.CodeFailed, "there is no display here: start it with `foldpost run`; `foldpost help` lists the commands")
}

// displayAnswers is true if an X server listens where $DISPLAY says: X(7),
// "hostname:display.screen".
func displayAnswers(display string) bool {
	i := strings.LastIndexByte(display, ':')
	if i < 0 {
		return false
	}
	host := display[:i]
	number, _, _ := strings.Cut(display[i+1:], ".")
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil || n > 65535-6000 {
		return false
	}
	networks := [][2]string{{"tcp", net.JoinHostPort(strings.Trim(host, "[]"), strconv.FormatUint(6000+n, 10))}}
	if host == "" || host == "unix" {
		path := "/tmp/.X11-unix/X" + number
		networks = [][2]string{{"unix", "@" + path}, {"unix", path}}
	}
	for _, at := range networks {
		conn, err := net.DialTimeout(at[0], at[1], 5*time.Second)
		if err == nil {
			conn.Close()
			return true
		}
	}
	return false
}
