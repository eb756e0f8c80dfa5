// Package e2e holds only tests and benchmarks of whole nodes: on a simulated
// network, with simulated mail and time (go test), and on real ones (tags
// real, reach, lan and lab; see the Makefile). It exports nothing.
package e2e
