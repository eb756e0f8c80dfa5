package node

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"foldpost/app"
	"foldpost/discovery"
)

// find says what the routers forward to this device, as far as they say.
func (f mappingFacts) find(missing bool) []app.Finding {
	var list []app.Finding
	if slices.ContainsFunc(f.Gateways, func(g discovery.Gateway) bool { return g.Tunnel }) {
		vpn := app.Found(app.FoundVPN)
		vpn.OK = !missing
		list = append(list, vpn)
	}
	router := func(g discovery.Gateway) bool { return !g.Tunnel && g.Addr.Is4() }
	i := slices.IndexFunc(f.Gateways, func(g discovery.Gateway) bool { return router(g) && g.Mapping.External.IsValid() })
	if i < 0 {
		i = slices.IndexFunc(f.Gateways, func(g discovery.Gateway) bool { return router(g) && !g.At.IsZero() })
	}
	if i < 0 {
		return list // none, or none was asked yet
	}
	g := f.Gateways[i]
	found := f.forwarded(g)
	found.OK = found.OK || !missing
	found.Detail = trialText(g)
	return append(list, found)
}

// carrier tells whether a router has its own address from a carrier's network.
func (f mappingFacts) carrier() bool {
	return slices.ContainsFunc(f.Gateways, func(g discovery.Gateway) bool { return carrierNetwork.Contains(g.Mapping.External.Addr()) })
}

func (f mappingFacts) forwarded(g discovery.Gateway) app.Finding {
	e := g.Mapping.External
	port := strconv.Itoa(int(e.Port()))
	switch {
	case !e.IsValid():
		return app.Found(app.FoundNotForwarded)
	case !isPublic(e.Addr()):
		return app.Found(app.FoundTwoRouters)
	case f.Confirmed[e].IsZero():
		return app.Found(app.FoundForwarded, "Port", port)
	}
	return app.Found(app.FoundOpened, "Port", port)
}

// trialsText lists what routers were asked, and what it said.
func trialsText(list []discovery.Gateway) string {
	var b strings.Builder
	for _, g := range list {
		b.WriteString(trialText(g))
	}
	return b.String()
}

func trialText(g discovery.Gateway) string {
	var b strings.Builder
	if e := g.Mapping.External; e.IsValid() {
		fmt.Fprintf(&b, "%s: forwards port %d of %s\n", g.Mapping.Way, e.Port(), app.ShortAddr(e.Addr()))
	}
	for _, t := range g.Tried {
		fmt.Fprintf(&b, "%s: %s\n", t.Way, t.Problem)
	}
	return b.String()
}
