package stageclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
)

// Token gets an access token for a user: from the token command, or else from the local stage's development issuer.
func (c *Client) Token(ctx context.Context, user string) (string, error) {
	switch {
	case c.TokenCommand != "":
		return commandToken(ctx, c.TokenCommand, user)
	case c.Outputs.Local.DevTokenURL != "":
		return c.devToken(ctx, user)
	}
	return "", fmt.Errorf("get a token: this stage has no development issuer; "+
		"set %s to a command that prints an access token", TokenCommandVariable)
}

func commandToken(ctx context.Context, command, user string) (string, error) {
	run := exec.CommandContext(ctx, "sh", "-c", command) //nolint:gosec // a developer names the command
	run.Env = append(os.Environ(), UserVariable+"="+user)
	var complaint bytes.Buffer
	run.Stderr = &complaint
	printed, err := run.Output()
	if err != nil {
		return "", fmt.Errorf("get a token: the command of %s failed: %w: %s", TokenCommandVariable, err,
			lastLine(complaint.String()))
	}
	token := strings.TrimSpace(string(printed))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("get a token: the command of %s must print one access token and nothing else",
			TokenCommandVariable)
	}
	return token, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func (c *Client) devToken(ctx context.Context, user string) (string, error) {
	u, err := url.Parse(c.Outputs.Local.DevTokenURL)
	if err != nil {
		return "", fmt.Errorf("get a token: DevTokenUrl: %w", err)
	}
	query := u.Query()
	query.Set("user", user)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", fmt.Errorf("get a token: %w", err)
	}
	status, _, body, err := c.do(r)
	if err != nil {
		return "", fmt.Errorf("get a token: %w", err)
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("get a token: the development issuer answered %d: %s", status, bytes.TrimSpace(body))
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.AccessToken == "" {
		return "", errors.New("get a token: the development issuer's answer has no access_token")
	}
	return answer.AccessToken, nil
}
