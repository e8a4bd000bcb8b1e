package gateway_test

import (
	"math"
	"strings"
	"testing"

	"signedsocket/localstage/internal/gateway"
)

func TestNewRefusesConfigsThatItCannotServe(t *testing.T) {
	t.Parallel()
	function := newIntegration("")
	tests := []struct {
		name  string
		spoil func(*gateway.Config)
		want  string
	}{
		{"no API", func(c *gateway.Config) { c.APIID = "" }, "APIID"},
		{"no authorizer", func(c *gateway.Config) { c.Authorizer = nil }, "Authorizer"},
		{"negative time", func(c *gateway.Config) { c.IdleTimeout = -1 }, "IdleTimeout"},
		{"unknown ordering", func(c *gateway.Config) { c.Ordering = 9 }, "ordering 9"},
		{"route twice", func(c *gateway.Config) { c.Routes = append(c.Routes, c.Routes[0]) }, "defined twice"},
		{"route without key", func(c *gateway.Config) { c.Routes[0].Key = "" }, "needs a key"},
		{
			"route without integration",
			func(c *gateway.Config) { c.Routes[0].Integration = nil },
			"needs an integration",
		},
		{
			"authorizer type",
			func(c *gateway.Config) { c.Routes[0].AuthorizationType = "CUSTOM" },
			`"CUSTOM" is not supported`,
		},
		{
			"authorization of a message",
			func(c *gateway.Config) { c.Routes[0].AuthorizationType = "AWS_IAM" },
			"$connect only",
		},
		{"share above 1", func(c *gateway.Config) { c.Faults.DropTCP = 1.5 }, "DropTCP"},
		{"share that is no number", func(c *gateway.Config) { c.Faults.GonePosts = math.NaN() }, "GonePosts"},
		{
			"expression on a header",
			func(c *gateway.Config) { c.RouteSelectionExpression = "$request.header.x" },
			"request.header.x",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := gateway.Config{
				APIID: "a", Stage: "prod", Region: "us-east-1", AccountID: "111122223333", Authorizer: &authorizer{},
				Routes: []gateway.Route{{Key: "$default", Integration: function}},
			}
			tt.spoil(&cfg)
			if _, err := gateway.New(cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that tells of %q", err, tt.want)
			}
		})
	}
}

func TestOrderingsHaveNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]gateway.Ordering{
		"concurrent": gateway.Concurrent, "serial": gateway.Serial, "shuffled": gateway.Shuffled,
	} {
		var got gateway.Ordering
		if err := got.UnmarshalText([]byte(name)); err != nil || got != want {
			t.Errorf("%s is %v, %v", name, got, err)
		}
	}
	if err := new(gateway.Ordering).UnmarshalText([]byte("random")); err == nil {
		t.Error("random was accepted")
	}
}
