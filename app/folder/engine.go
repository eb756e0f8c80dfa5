package folder

// An engine is the state of a running folder. Only its event loop touches it.
type engine struct{}
