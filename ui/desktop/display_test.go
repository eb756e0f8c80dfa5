package desktop

import (
	"net"
	"strconv"
	"testing"
)

func TestDisplayAnswers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := l.Addr().(*net.TCPAddr).Port - 6000
	if n < 0 {
		t.Skip("the system gave a port below those of X")
	}
	here := "127.0.0.1:" + strconv.Itoa(n)
	for display, want := range map[string]bool{
		here: true, here + ".0": true, here + ".1": true,
		"": false, "127.0.0.1": false, "127.0.0.1:": false, "127.0.0.1:x": false, ":99999": false, "127.0.0.1:-1": false, ":63999": false,
	} {
		if got := displayAnswers(display); got != want {
			t.Errorf("displayAnswers(%q) = %v, want %v", display, got, want)
		}
	}
}
