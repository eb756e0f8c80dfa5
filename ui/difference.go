package ui

// A shownLine is a line of one version of a text, and whether the other
// version has it too.
type shownLine struct {
	text string
	own  bool
}

// maxCompared bounds the lines that are compared with each other: more are
// taken as different.
const maxCompared = 600

// difference tells which lines two versions of a text have in common.
func difference(a, b []string) (as, bs []shownLine) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	keepA, keepB := common(a[head:len(a)-tail], b[head:len(b)-tail])
	return marked(a, head, tail, keepA), marked(b, head, tail, keepB)
}

func marked(lines []string, head, tail int, keep []bool) []shownLine {
	out := make([]shownLine, len(lines))
	for i, l := range lines {
		inside := i >= head && i < len(lines)-tail
		out[i] = shownLine{l, inside && !keep[i-head]}
	}
	return out
}

// common marks a longest common subsequence in both.
func common(a, b []string) (inA, inB []bool) {
	inA, inB = make([]bool, len(a)), make([]bool, len(b))
	if len(a) > maxCompared || len(b) > maxCompared {
		return inA, inB
	}
	longest := make([][]int, len(a)+1) // of a[i:] and b[j:]
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			inA[i], inB[j] = true, true
			i, j = i+1, j+1
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
	return inA, inB
}

// fromFirst leaves out the lines before the first difference but two, and
// tells how many those are.
func fromFirst(lines []shownLine, own int) (rest []shownLine, skipped int) {
	const before = 2
	skipped = max(0, min(own, len(lines))-before)
	return lines[skipped:], skipped
}

// firstOwn is where two versions part.
func firstOwn(a, b []shownLine) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i].own || b[i].own {
			return i
		}
	}
	return 0
}
