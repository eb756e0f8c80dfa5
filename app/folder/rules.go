package folder

// rules switches single rules off. The zero value has every rule on, and
// nothing but tests uses another one: with a rule off the model's histories
// must fail, which shows that they would notice its loss.
type rules struct {
	winnerOnly   bool // a join keeps one version under the merged vector
	bump         bool // resolving a conflict makes a dot
	birthOwn     bool // a conflict copy has a dot of its maker
	birthDot     bool // a conflict copy has the loser's own dot
	keepEnded    bool // a loser stays when a user ends its copy
	early        bool // a joined entry is committed before its copies are
	noAdopt      bool // intents are forgotten in a crash
	anyInode     bool // an intent names any file with its content
	adoptEqual   bool // any finding that equals an unseen version is ours
	oldID        bool // a lost index goes on under its replica id
	noFloor      bool // numbers of dots are plain counters
	noDetect     bool // a vector with our own id ahead of us is no sign
	noEnded      bool // contents that users ended do not beat found ones
	modeVersion  bool // chmod makes a version
	noWithdraw   bool // what can not be served stays announced
	relayAny     bool // entries are taken from members without write right
	thawAbsence  bool // what is absent after a thaw was deleted
	ignoreUnborn bool // tombstones of unknown paths are not stored
	noGuard      bool // nothing asks before many files go
}
