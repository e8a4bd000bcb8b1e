package dynamodb

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// pathElement is a step of a document path: into a map by name, or into a list by index.
type pathElement struct {
	name    string
	index   int
	isIndex bool
}

// path leads from an item to one of its values. It has at least one element, the first of which is a name.
type path []pathElement

// String writes the path as the service's messages do, such as [a, b, [2]].
func (p path) String() string {
	steps := make([]string, len(p))
	for i, step := range p {
		steps[i] = step.name
		if step.isIndex {
			steps[i] = "[" + strconv.Itoa(step.index) + "]"
		}
	}
	return "[" + strings.Join(steps, ", ") + "]"
}

// in returns the value to which the path leads from v, nil when there is none.
func (p path) in(v value) value {
	for _, step := range p {
		switch container := v.(type) {
		case mapValue:
			if step.isIndex {
				return nil
			}
			v = container[step.name]
		case listValue:
			if !step.isIndex || step.index >= len(container) {
				return nil
			}
			v = container[step.index]
		default:
			return nil
		}
	}
	return v
}

// pathTree holds the paths of a projection, or those that an update writes. No path may be the beginning of another,
// and no value can be both a map and a list.
type pathTree struct {
	whole   path // the path that ends here
	any     path // some path that leads here or further, for messages
	names   map[string]*pathTree
	indexes map[int]*pathTree
}

// insert adds a path, or returns an error that names the other path with which it clashes. kind names the expression in
// errors.
func (t *pathTree) insert(kind string, p path) error {
	for _, step := range p {
		if t.any == nil {
			t.any = p
		}
		if t.whole != nil {
			return clash(kind, "overlap", t.whole, p)
		}
		if other := t.otherKind(step.isIndex); other != nil {
			return clash(kind, "conflict", other, p)
		}
		t = t.child(step)
	}
	if t.any != nil {
		return clash(kind, "overlap", t.any, p)
	}
	t.whole, t.any = p, p
	return nil
}

func clash(kind, how string, one, two path) error {
	return invalid("Invalid %s: Two document paths %s with each other; must remove or rewrite one of these paths; "+
		"path one: %s, path two: %s",
		kind, how, one, two)
}

// otherKind returns a path that takes t for a map if isIndex says that it is a list, and the other way round.
func (t *pathTree) otherKind(isIndex bool) path {
	if isIndex {
		for _, child := range t.names {
			return child.any
		}
		return nil
	}
	for _, child := range t.indexes {
		return child.any
	}
	return nil
}

func (t *pathTree) child(step pathElement) *pathTree {
	if step.isIndex {
		return childOf(&t.indexes, step.index)
	}
	return childOf(&t.names, step.name)
}

func childOf[K comparable](children *map[K]*pathTree, key K) *pathTree {
	if *children == nil {
		*children = map[K]*pathTree{}
	}
	child := (*children)[key]
	if child == nil {
		child = new(pathTree)
		(*children)[key] = child
	}
	return child
}

// item returns the parts of an item to which the paths lead, in their places. The result may be empty.
func (t *pathTree) item(item mapValue) mapValue {
	projected := mapValue{}
	for name, child := range t.names {
		if v := child.project(item[name]); v != nil {
			projected[name] = v
		}
	}
	return projected
}

// project returns the parts of v to which the paths lead, or nil when there are none. Lists close up.
func (t *pathTree) project(v value) value {
	if t.whole != nil {
		return v
	}
	switch v := v.(type) {
	case mapValue:
		if projected := t.item(v); len(projected) > 0 {
			return projected
		}
	case listValue:
		var projected listValue
		for _, index := range slices.Sorted(maps.Keys(t.indexes)) {
			if index >= len(v) {
				break
			}
			if element := t.indexes[index].project(v[index]); element != nil {
				projected = append(projected, element)
			}
		}
		if projected != nil {
			return projected
		}
	}
	return nil
}

// parseProjection reads a ProjectionExpression; nil for an absent one.
func parseProjection(source *string, b *bindings) (*pathTree, error) {
	if source == nil {
		return nil, nil
	}
	p := newParser(projectionExpression, *source, b)
	tree := new(pathTree)
	for more := true; more; more = p.skipSymbol(",") {
		p.insert(tree, p.path())
	}
	return tree, p.finish()
}

// insert adds a path to a tree unless there has been an error.
func (p *parser) insert(tree *pathTree, at path) {
	if p.err != nil {
		return
	}
	if err := tree.insert(p.kind, at); err != nil {
		p.fail(err)
	}
}
