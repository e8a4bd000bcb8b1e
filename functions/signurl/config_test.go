package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestEnvironment(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change map[string]string
		want   []string // settings that the error names; none without an error
	}{
		{"complete", nil, nil},
		{"defaults", map[string]string{"NAME_CLAIM": "", "URL_LIFETIME_SECONDS": "", "SESSION_MAX_SECONDS": ""}, nil},
		// Then requests are refused instead, so that the reason is seen.
		{
			"nothing of what a mode needs",
			map[string]string{"OIDC_ISSUER": "", "TRUSTED_CALLER_ARNS": "", "GUEST_ROOMS": ""},
			nil,
		},
		{
			"nothing that is needed",
			map[string]string{
				"WEBSOCKET_URL": "",
				"TABLE_NAME":    "",
				"ACCOUNT_ID":    "",
				"STACK_ID":      "",
				"AUTH_MODE":     "",
				"DEFAULT_ROOMS": "",
			},
			[]string{"WEBSOCKET_URL", "TABLE_NAME", "ACCOUNT_ID", "STACK_ID", "AUTH_MODE", "DEFAULT_ROOMS"},
		},
		{
			"bad values for guests",
			map[string]string{"GUEST_ROOMS": "a,*", "GUEST_CONNECTIONS": "0"},
			[]string{"GUEST_ROOMS", "GUEST_CONNECTIONS"},
		},
		{
			"bad values",
			map[string]string{
				"AUTH_MODE":             "none",
				"DEFAULT_ROOMS":         "Lobby",
				"URL_LIFETIME_SECONDS":  "61",
				"SESSION_MAX_SECONDS":   "0",
				"SESSION_GRACE_SECONDS": "-1",
			},
			[]string{"AUTH_MODE", "DEFAULT_ROOMS", "URL_LIFETIME_SECONDS", "SESSION_MAX_SECONDS",
				"SESSION_GRACE_SECONDS"},
		},
		{"eight rooms, each in both forms",
			map[string]string{"DEFAULT_ROOMS": "a,b,c,d,e,f,g,h,a:r,b:r,c:r,d:r,e:r,f:r,g:r,h:r"}, nil},
		{"nine rooms", map[string]string{"DEFAULT_ROOMS": "a,b,c,d,e,f,g,h,i:r"}, []string{"DEFAULT_ROOMS"}},
		{
			"unknown flags",
			map[string]string{"DEFAULT_ROOMS": "a,b:x", "GUEST_ROOMS": "a:"},
			[]string{"DEFAULT_ROOMS", "GUEST_ROOMS"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			environment := environment()
			maps.Copy(environment, test.change)
			_, err := readConfig(environment)
			if len(test.want) == 0 && err != nil {
				t.Error(err)
			}
			for _, name := range test.want {
				if err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("err = %v, want all problems, %s among them", err, name)
				}
			}
		})
	}
}

// TestEveryValueOfTheTemplateWorks: callers that can never call are left out and named, and a room that is named twice
// is one. It is read only when one of its names says so.
func TestEveryValueOfTheTemplateWorks(t *testing.T) {
	t.Parallel()
	environment := environment()
	maps.Copy(environment, map[string]string{
		"DEFAULT_ROOMS":       "a,b:r,a,c,c:r,d:r,d",
		"GUEST_ROOMS":         "b,b,b:r",
		"SESSION_MAX_SECONDS": "7200.0",
		"TRUSTED_CALLER_ARNS": "arn:aws:iam::444455556666:role/web,arn:aws:iam::111122223333:role/team/,*," +
			"arn:aws:iam::111122223333:role/web",
	})
	c, err := readConfig(environment)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(textsOf(c.defaultRooms), []string{"a", "b:r", "c:r", "d:r"}) ||
		!slices.Equal(textsOf(c.guestRooms), []string{"b:r"}) || c.SessionMaxSeconds != 7200 {
		t.Errorf("readConfig = %+v", c)
	}
	for _, left := range []string{"444455556666", "role/team/", `"*"`} {
		if c.leftOut == nil || !strings.Contains(c.leftOut.Error(), left) {
			t.Errorf("left out: %v, want %s in it", c.leftOut, left)
		}
	}
	if c.trustedCallers.Len() != 1 || !c.trustedCallers.Contains("arn:aws:sts::111122223333:assumed-role/web/s") {
		t.Errorf("callers: %+v", c.trustedCallers)
	}
}
