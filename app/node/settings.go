package node

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"foldpost/app"
	"foldpost/p2p/wire"
)

// setting is one key of config.
type setting struct {
	key, help string
	values    []string // if only these are allowed
	get       func(*kept) string
	set       func(*kept, string) error
}

// onOff are the values of a switch.
var onOff = []string{"on", "off"}

func switchText(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// maxLimit is far above what any link carries, in KiB per second.
const maxLimit = 1 << 30

// settings are all keys but start-at-login, which the system keeps.
var settings = []setting{
	{
		key: "name", help: "what this device is called on others",
		get: func(s *kept) string { return s.Name },
		set: func(s *kept, v string) error {
			if v = wire.SafeName(v); v == "" {
				return app.Errorf(app.CodeUsage, "a device needs a name")
			}
			s.Name = v
			return nil
		},
	},
	{
		key: "person", help: "your name in invitations",
		get: func(s *kept) string { return s.Person },
		set: func(s *kept, v string) error { s.Person = wire.SafeName(v); return nil },
	},
	{
		key: "port", help: "the UDP port; used from the next start on",
		get: func(s *kept) string { return strconv.Itoa(int(s.Port)) },
		set: func(s *kept, v string) error {
			p, err := strconv.ParseUint(v, 10, 16)
			if err != nil || p < 1024 && p != 443 {
				return app.Errorf(app.CodeUsage, "a port is a number from 1024 to 65535, or 443")
			}
			s.Port = uint16(p)
			return nil
		},
	},
	{
		key: "stun", help: "STUN servers that may tell this device its public address: HOST or HOST:PORT, at most 8; empty: none is asked",
		get: func(s *kept) string { return s.STUN },
		set: setSTUN,
	},
	{
		key: "port-mapping", help: "whether routers here are asked to forward a port to this device (PCP, NAT-PMP, UPnP)", values: onOff,
		get: func(s *kept) string { return switchText(!s.NoMapping) },
		set: func(s *kept, v string) error { s.NoMapping = v == "off"; return nil },
	},
	{
		key: "carry", help: "whether this device passes sealed letters on between linked devices that look for each other; it can not read them", values: onOff,
		get: func(s *kept) string { return switchText(!s.NoCarry) },
		set: func(s *kept, v string) error { s.NoCarry = v == "off"; return nil },
	},
	choiceSetting("visible", "who nearby can find this device: everyone while it is being linked, else only your devices; only your devices; nobody", func(s *kept) *string { return &s.Visible }, visibleEveryone, visibleDevices, visibleNobody),
	{
		key: "turn", help: "a TURN server that takes packets for this device where nobody else gets through: turn:HOST:PORT; empty: none",
		get: func(s *kept) string {
			if s.TURN.Server == "" {
				return ""
			}
			return "turn:" + s.TURN.Server
		},
		set: setTURN,
	},
	{
		key: "turn-user", help: "the name that the TURN server knows this device by",
		get: func(s *kept) string { return s.TURN.User },
		set: func(s *kept, v string) error { s.TURN.User = v; return nil },
	},
	{
		key: app.SettingTURNPassword, help: "the password for the TURN server, from standard input: foldpost config turn-password -",
		get: func(s *kept) string {
			if s.TURN.Password == "" {
				return ""
			}
			return "***"
		},
		set: func(s *kept, v string) error { s.TURN.Password = v; return nil },
	},
	relaySetting("relay-limit", "MiB an hour that two devices of others may send through this one; 0: no limit", relayLimitMB, func(s *kept) *int { return &s.RelayMB }),
	relaySetting("relay-rate", "KiB per second of what goes through this device between others, all together; 0: no limit", relayRateKB, func(s *kept) *int { return &s.RelayKB }),
	limitSetting("limit-up", "KiB per second that this device sends of files; 0: no limit", func(s *kept) *int { return &s.LimitUp }),
	limitSetting("limit-down", "KiB per second that this device receives of files; 0: no limit", func(s *kept) *int { return &s.LimitDown }),
	{
		key: "trash-days", help: "how long deleted and replaced files are kept; used from the next start on",
		get: func(s *kept) string { return strconv.Itoa(s.TrashDays) },
		set: func(s *kept, v string) error {
			d, err := strconv.Atoi(v)
			if err != nil || d < 1 || d > 3650 {
				return app.Errorf(app.CodeUsage, "days are a number from 1 to 3650")
			}
			s.TrashDays = d
			return nil
		},
	},
	choiceSetting(app.SettingTheme, "colours of the window", func(s *kept) *string { return &s.Theme }, "system", "light", "dark"),
	choiceSetting(app.SettingLanguage, "language of the window", func(s *kept) *string { return &s.Language }, "system", "en", "de"),
	choiceSetting(app.SettingSize, "size of the window's texts and buttons, in percent", func(s *kept) *string { return &s.Size }, "100", "85", "115", "130", "150"),
	{
		key: app.SettingNotify, help: "whether the desktop shows a note when something waits for you", values: onOff,
		get: func(s *kept) string { return switchText(!s.Quiet) },
		set: func(s *kept, v string) error { s.Quiet = v == "off"; return nil },
	},
}

// choiceSetting is one of some values, the first where nothing is kept.
func choiceSetting(name, help string, field func(*kept) *string, values ...string) setting {
	sorted := values
	if name == app.SettingSize {
		sorted = slices.SortedFunc(slices.Values(values), func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	}
	return setting{
		key: name, help: help, values: sorted,
		get: func(s *kept) string { return cmp.Or(*field(s), values[0]) },
		set: func(s *kept, v string) error { *field(s) = v; return nil },
	}
}

func limitSetting(name, help string, field func(*kept) *int) setting {
	return setting{
		key: name, help: help,
		get: func(s *kept) string { return strconv.Itoa(*field(s)) },
		set: func(s *kept, v string) error {
			k, err := strconv.Atoi(v)
			if err != nil || k < 0 || k > maxLimit {
				return app.Errorf(app.CodeUsage, "a limit is a number of KiB per second, or 0 for none")
			}
			*field(s) = k
			return nil
		},
	}
}

// relaySetting is a limit that is there unless the user says otherwise: it is
// kept as 0 then, and none as -1.
func relaySetting(name, help string, usual int, field func(*kept) *int) setting {
	return setting{
		key: name, help: help,
		get: func(s *kept) string { return strconv.Itoa(max(cmp.Or(*field(s), usual), 0)) },
		set: func(s *kept, v string) error {
			k, err := strconv.Atoi(v)
			if err != nil || k < 0 || k > maxLimit {
				return app.Errorf(app.CodeUsage, "%s is a number, or 0 for no limit", name)
			}
			if k == 0 {
				k = -1
			}
			*field(s) = k
			return nil
		},
	}
}

// Config implements [app.Service].
func (n *Node) Config(context.Context) ([]app.Setting, error) {
	s := n.keep.view()
	var list []app.Setting
	for _, k := range settings {
		list = append(list, app.Setting{Key: k.key, Value: k.get(&s), Help: k.help, Values: k.values})
	}
	if n.cfg.Autostart != nil {
		on, err := n.cfg.Autostart.On()
		if err != nil {
			n.log.Debug("look whether this starts at login", "err", err)
		}
		list = append(list, app.Setting{Key: app.SettingLogin, Value: switchText(on), Help: "whether foldpost starts when you log in", Values: onOff})
	}
	return list, nil
}

// SetConfig implements [app.Service].
func (n *Node) SetConfig(_ context.Context, name, value string) error {
	if name == app.SettingLogin {
		return n.setAutostart(value)
	}
	i := slices.IndexFunc(settings, func(k setting) bool { return k.key == name })
	if i < 0 {
		return app.Errorf(app.CodeUsage, "there is no setting %q: foldpost config lists them", name)
	}
	k := settings[i]
	if err := k.check(value); err != nil {
		return err
	}
	if err := n.update(func(s *kept) error { return k.set(s, value) }); err != nil {
		return err
	}
	n.limitTransfers()
	return nil
}

// check refuses what is not among the values.
func (k setting) check(value string) error {
	if len(k.values) == 0 || slices.Contains(k.values, value) {
		return nil
	}
	return app.Errorf(app.CodeUsage, "%s is one of: %s", k.key, strings.Join(k.values, ", "))
}

// limitTransfers has limits apply, also to what is on its way.
func (n *Node) limitTransfers() {
	s := n.keep.view()
	n.up.set(int64(s.LimitUp) << 10)
	n.down.set(int64(s.LimitDown) << 10)
	n.relays.rate.set(int64(max(cmp.Or(s.RelayKB, relayRateKB), 0)) << 10)
}

// setAutostart changes what the system does at login.
func (n *Node) setAutostart(value string) error {
	if err := (setting{key: app.SettingLogin, values: onOff}).check(value); err != nil {
		return err
	}
	if n.cfg.Autostart == nil {
		return app.Errorf(app.CodeFailed, "%s can not be changed here", app.SettingLogin)
	}
	if err := n.cfg.Autostart.Set(value == "on"); err != nil {
		return app.Errorf(app.CodeFailed, "%s: %v", app.SettingLogin, err)
	}
	return nil
}
