package gateway

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// proxyResponse is the result of a handler.
// Source: "Output format of a Lambda function for proxy integration".
type proxyResponse struct {
	status       int      // any integer
	body         string   // decoded if the handler says that it is base64
	subprotocols []string // every value of Sec-WebSocket-Protocol
}

// proxyMembers are the members of a result, as the handler wrote them.
type proxyMembers struct {
	status  int
	headers map[string]any
	multi   map[string][]any
	body    string
	encoded bool
}

// decodeProxyResponse decodes a handler's result strictly: an unknown name at the top, also one in another letter case,
// makes it malformed. That a result without statusCode is malformed, too, is assumed.
// Source: observed. The errors never repeat values.
func decodeProxyResponse(raw []byte) (proxyResponse, error) {
	var written map[string]json.RawMessage
	if err := json.Unmarshal(raw, &written); err != nil || written == nil {
		return proxyResponse{}, errors.New("malformed proxy response: not a JSON object")
	}
	if _, ok := written["statusCode"]; !ok {
		return proxyResponse{}, errors.New(`malformed proxy response: "statusCode" is missing`)
	}
	var m proxyMembers
	for _, name := range slices.Sorted(maps.Keys(written)) {
		if err := m.set(name, written[name]); err != nil {
			return proxyResponse{}, fmt.Errorf("malformed proxy response: %q: %w", name, err)
		}
	}
	if m.encoded {
		decoded, err := base64.StdEncoding.DecodeString(m.body)
		if err != nil {
			return proxyResponse{}, errors.New("malformed proxy response: body is not base64")
		}
		m.body = string(decoded)
	}
	granted, err := subprotocols(m.headers, m.multi)
	return proxyResponse{status: m.status, body: m.body, subprotocols: granted}, err
}

func (m *proxyMembers) set(name string, value json.RawMessage) (err error) {
	switch name {
	case "statusCode":
		m.status, err = decodeStatus(value)
	case "headers":
		err = json.Unmarshal(value, &m.headers)
	case "multiValueHeaders":
		err = json.Unmarshal(value, &m.multi)
	case "body":
		err = json.Unmarshal(value, &m.body)
	case "isBase64Encoded":
		err = json.Unmarshal(value, &m.encoded)
	default:
		err = errors.New("name is not allowed")
	}
	return err
}

// decodeStatus accepts an integer, also as text.
// Source: observed on REST APIs; on WebSocket APIs assumed.
func decodeStatus(raw json.RawMessage) (int, error) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = string(raw)
	}
	status, err := strconv.Atoi(text)
	if err != nil {
		return 0, errors.New("not an integer")
	}
	return status, nil
}

// subprotocols returns each value of Sec-WebSocket-Protocol, in any spelling and from both maps. A handler that returns
// it twice breaks its clients, here as on AWS.
// Source: "Set up a $connect route that requires a WebSocket subprotocol"; the doubling was observed.
func subprotocols(headers map[string]any, multi map[string][]any) ([]string, error) {
	var all []any
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if strings.EqualFold(name, "Sec-WebSocket-Protocol") {
			all = append(all, headers[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(multi)) {
		if strings.EqualFold(name, "Sec-WebSocket-Protocol") {
			all = append(all, multi[name]...)
		}
	}
	var texts []string
	for _, value := range all {
		text, ok := value.(string)
		if !ok || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, errors.New("malformed proxy response: Sec-WebSocket-Protocol is not a header value")
		}
		texts = append(texts, text)
	}
	return texts, nil
}
