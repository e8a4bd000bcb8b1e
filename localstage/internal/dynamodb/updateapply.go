package dynamodb

import (
	"cmp"
	"slices"
)

// These are the errors of an update that does not fit its item.

func noSuchAttribute() *Error {
	return invalidItem("The provided expression refers to an attribute that does not exist in the item")
}

func incorrectDataType() *Error {
	return invalidItem("An operand in the update expression has an incorrect data type")
}

func invalidPath() *Error {
	return invalidItem("The document path provided in the update expression is invalid for update")
}

func (o copyOperand) evaluate(old mapValue) (value, error) {
	if v := o.path.in(old); v != nil {
		return v, nil
	}
	return nil, noSuchAttribute()
}

func (o newValueOperand) evaluate(mapValue) (value, error) { return o.value, nil }

func (o ifNotExistsOperand) evaluate(old mapValue) (value, error) {
	if v := o.path.in(old); v != nil {
		return v, nil
	}
	return o.fallback.evaluate(old)
}

func (o listAppendOperand) evaluate(old mapValue) (value, error) {
	first, err := evaluateAs[listValue](o.first, old)
	if err != nil {
		return nil, err
	}
	second, err := evaluateAs[listValue](o.second, old)
	if err != nil {
		return nil, err
	}
	return slices.Concat(first, second), nil
}

func (o sumOperand) evaluate(old mapValue) (value, error) {
	left, err := evaluateAs[numberValue](o.left, old)
	if err != nil {
		return nil, err
	}
	right, err := evaluateAs[numberValue](o.right, old)
	if err != nil {
		return nil, err
	}
	return addNumbers(left, right, o.subtract)
}

func evaluateAs[T value](o setOperand, old mapValue) (T, error) {
	v, err := o.evaluate(old)
	if err != nil {
		return *new(T), err
	}
	typed, ok := v.(T)
	if !ok {
		return typed, incorrectDataType()
	}
	return typed, nil
}

// apply returns the item that the update makes of old, or of the key when there is no item (old is nil). It does not
// change old. The result is nil when there was no item and the update only removes: such an update makes none.
//
// All indexes are positions in the old lists. So removed elements keep their places until the new ones are appended.
func (u *update) apply(old, key mapValue) (mapValue, error) {
	if old == nil && len(u.sets) == 0 && len(u.adds) == 0 {
		return nil, nil
	}
	item := editor{item: key.clone()}
	if old != nil {
		item.item = old.clone()
	}
	if err := u.applySets(&item, old); err != nil {
		return nil, err
	}
	for _, action := range u.adds {
		if err := item.add(action, old); err != nil {
			return nil, err
		}
	}
	for _, action := range u.deletes {
		if err := item.deleteMembers(action, old); err != nil {
			return nil, err
		}
	}
	for _, at := range u.removes {
		if err := item.remove(at); err != nil {
			return nil, err
		}
	}
	return item.finish(), nil
}

func (u *update) applySets(item *editor, old mapValue) error {
	for _, action := range u.sets {
		v, err := action.value.evaluate(old)
		if err != nil {
			return err
		}
		if err := item.set(action.path, v); err != nil {
			return err
		}
	}
	return nil
}

// removed stands for a removed element of a list.
type removed struct{ nullValue }

// editor changes an item in place.
type editor struct {
	item    mapValue
	appends []setAction // new elements behind the end of a list
	removes bool        // an element of a list was removed
}

// set writes a value to a map or a list that must exist, or to the item itself.
func (e *editor) set(at path, v value) error {
	parent, last := at[:len(at)-1].in(e.item), at[len(at)-1]
	switch container := parent.(type) {
	case mapValue:
		if last.isIndex {
			return invalidPath()
		}
		container[last.name] = v
		return nil
	case listValue:
		if !last.isIndex {
			return invalidPath()
		}
		if last.index < len(container) {
			container[last.index] = v
		} else {
			e.appends = append(e.appends, setAction{at, newValueOperand{v}})
		}
		return nil
	}
	return invalidPath()
}

// add adds to a number or a set, or begins one.
func (e *editor) add(action valueAction, old mapValue) error {
	existing := action.path.in(old)
	if existing == nil {
		return e.set(action.path, action.value)
	}
	switch addend := action.value.(type) {
	case numberValue:
		number, ok := existing.(numberValue)
		if !ok {
			return incorrectDataType()
		}
		sum, err := addNumbers(number, addend, false)
		if err != nil {
			return err
		}
		return e.set(action.path, sum)
	case setValue:
		set, ok := existing.(setValue)
		if !ok || set.element != addend.element {
			return incorrectDataType()
		}
		return e.set(action.path, set.union(addend))
	}
	return incorrectDataType()
}

// deleteMembers removes members from a set, and the set when it has no members left: there are no empty sets.
func (e *editor) deleteMembers(action valueAction, old mapValue) error {
	existing := action.path.in(old)
	if existing == nil {
		return nil
	}
	set, ok := existing.(setValue)
	members, sameKind := action.value.(setValue)
	if !ok || !sameKind || set.element != members.element {
		return incorrectDataType()
	}
	rest := set.without(members)
	if len(rest.members) == 0 {
		return e.remove(action.path)
	}
	return e.set(action.path, rest)
}

// remove removes the value at the path. The value may be absent, but the map or list around it must exist.
func (e *editor) remove(at path) error {
	parent, last := at[:len(at)-1].in(e.item), at[len(at)-1]
	switch container := parent.(type) {
	case mapValue:
		if last.isIndex {
			return invalidPath()
		}
		delete(container, last.name)
		return nil
	case listValue:
		if !last.isIndex {
			return invalidPath()
		}
		if last.index < len(container) {
			container[last.index] = removed{}
			e.removes = true
		}
		return nil
	}
	return invalidPath()
}

// finish appends the elements behind the ends of lists, in order of index, and drops the removed ones.
func (e *editor) finish() mapValue {
	slices.SortStableFunc(e.appends, func(a, b setAction) int {
		return cmp.Compare(a.path[len(a.path)-1].index, b.path[len(b.path)-1].index)
	})
	for _, action := range e.appends {
		at := action.path[:len(action.path)-1]
		v := action.value.(newValueOperand).value
		list, _ := at.in(e.item).(listValue)
		// Another action cannot have replaced the list: their paths would overlap.
		_ = e.set(at, append(list, v))
	}
	if !e.removes {
		return e.item
	}
	return dropRemoved(e.item).(mapValue)
}

// dropRemoved returns v without the removed elements of its lists.
func dropRemoved(v value) value {
	switch v := v.(type) {
	case listValue:
		kept := listValue{}
		for _, element := range v {
			if _, ok := element.(removed); !ok {
				kept = append(kept, dropRemoved(element))
			}
		}
		return kept
	case mapValue:
		for name, element := range v {
			v[name] = dropRemoved(element)
		}
	}
	return v
}
