package wire

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
)

// ErrMismatch reports a checked value whose types or sizes do not fit the
// struct it is decoded into.
var ErrMismatch = errors.New("unexpected value")

// defaultMax bounds a slice whose field names no max of its own.
const defaultMax = 1 << 16

// Marshal encodes v, a struct or a pointer to one, with its fields' wire tags:
//
//	wire:"N"         key N of the map, or place N of the array (from 0, no gaps)
//	wire:"N,max=M"   a slice of at most M elements (65,536 if not given)
//
// Fields may be bool, integers, float64, strings (UTF-8), []byte, [N]byte,
// structs, pointers to structs and slices of these. In a map a field with its
// zero value is left out and keys ascend, so equal values have equal bytes; in
// an array every field is written. Fields without a tag do not travel.
func Marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	e := msgpack.NewEncoder(&buf)
	e.UseCompactInts(true)
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	if rv.Kind() != reflect.Struct {
		return nil, fmt.Errorf("encode %T: not a struct", v)
	}
	if err := encodeValue(e, rv, 0); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return buf.Bytes(), nil
}

// Unmarshal checks b with [Check] and decodes it into v, a pointer to a struct
// as [Marshal] takes it. Unknown keys, and array elements beyond the known
// ones, are ignored; what is absent keeps its value. Errors wrap
// [ErrMalformed] or [ErrMismatch].
func Unmarshal(b []byte, v any) error {
	if err := Check(b); err != nil {
		return err
	}
	return decode(b, v)
}

// decode is Unmarshal for bytes that passed Check.
func decode(b []byte, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("decode into %T: not a pointer to a struct", v)
	}
	d := msgpack.NewDecoder(bytes.NewReader(b))
	if err := decodeValue(d, rv.Elem(), 0); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrMismatch, rv.Elem().Type(), err)
	}
	return nil
}

// layout is how a struct type travels.
type layout struct {
	array  bool
	fields []field // by ascending key
}

type field struct {
	key   uint64
	index int
	max   int
}

var layouts sync.Map // reflect.Type -> layout

func layoutOf(t reflect.Type) layout {
	if l, ok := layouts.Load(t); ok {
		return l.(layout)
	}
	var l layout
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("wire")
		if !ok {
			continue
		}
		if t.Field(i).Name == "_" && tag == "array" {
			l.array = true
			continue
		}
		l.fields = append(l.fields, parseTag(t, i, tag))
	}
	slices.SortFunc(l.fields, func(a, b field) int { return cmp.Compare(a.key, b.key) })
	layouts.Store(t, l)
	return l
}

func parseTag(t reflect.Type, i int, tag string) field {
	key, rest, _ := strings.Cut(tag, ",")
	n, err := strconv.ParseUint(key, 10, 32)
	f := field{key: n, index: i, max: defaultMax}
	if m, ok := strings.CutPrefix(rest, "max="); ok && err == nil {
		f.max, err = strconv.Atoi(m)
	}
	if err != nil {
		panic(fmt.Sprintf("wire: tag %q of %s.%s", tag, t, t.Field(i).Name)) // a mistake in our source, met by every test of the type
	}
	return f
}

func encodeValue(e *msgpack.Encoder, v reflect.Value, limit int) error {
	switch v.Kind() {
	case reflect.Bool:
		return e.EncodeBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return e.EncodeInt(v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return e.EncodeUint(v.Uint())
	case reflect.Float64:
		return e.EncodeFloat64(v.Float())
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return fmt.Errorf("string %q is not UTF-8", v.String())
		}
		return e.EncodeString(v.String())
	case reflect.Array:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			break
		}
		b := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(b), v)
		return e.EncodeBytes(b)
	case reflect.Slice:
		return encodeSlice(e, v, limit)
	case reflect.Pointer:
		if v.IsNil() {
			return e.EncodeNil()
		}
		return encodeValue(e, v.Elem(), limit)
	case reflect.Struct:
		return encodeStruct(e, v)
	}
	return fmt.Errorf("type %s does not travel", v.Type())
}

func encodeSlice(e *msgpack.Encoder, v reflect.Value, limit int) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		if v.IsNil() {
			return e.EncodeBytes([]byte{}) // never nil: an absent key says that
		}
		return e.EncodeBytes(v.Bytes())
	}
	if v.Len() > limit {
		return fmt.Errorf("%d elements of %s, at most %d", v.Len(), v.Type(), limit)
	}
	if err := e.EncodeArrayLen(v.Len()); err != nil {
		return err
	}
	for i := range v.Len() {
		if err := encodeValue(e, v.Index(i), defaultMax); err != nil {
			return err
		}
	}
	return nil
}

func encodeStruct(e *msgpack.Encoder, v reflect.Value) error {
	l := layoutOf(v.Type())
	if l.array {
		if err := e.EncodeArrayLen(len(l.fields)); err != nil {
			return err
		}
		for _, f := range l.fields {
			if err := encodeValue(e, v.Field(f.index), f.max); err != nil {
				return err
			}
		}
		return nil
	}
	n := 0
	for _, f := range l.fields {
		if !absent(v.Field(f.index)) {
			n++
		}
	}
	if err := e.EncodeMapLen(n); err != nil {
		return err
	}
	for _, f := range l.fields {
		if absent(v.Field(f.index)) {
			continue
		}
		if err := e.EncodeUint(f.key); err != nil {
			return err
		}
		if err := encodeValue(e, v.Field(f.index), f.max); err != nil {
			return err
		}
	}
	return nil
}

func absent(v reflect.Value) bool {
	if v.Kind() == reflect.Slice {
		return v.Len() == 0
	}
	return v.IsZero()
}

func decodeValue(d *msgpack.Decoder, v reflect.Value, limit int) error {
	switch v.Kind() {
	case reflect.Bool:
		b, err := d.DecodeBool()
		v.SetBool(b)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := decodeInt(d)
		if err == nil && v.OverflowInt(n) {
			return fmt.Errorf("%d does not fit %s", n, v.Type())
		}
		v.SetInt(n)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, err := decodeUint(d)
		if err == nil && v.OverflowUint(n) {
			return fmt.Errorf("%d does not fit %s", n, v.Type())
		}
		v.SetUint(n)
		return err
	case reflect.Float64:
		f, err := d.DecodeFloat64()
		v.SetFloat(f)
		return err
	case reflect.String:
		s, err := d.DecodeString()
		if err == nil && !utf8.ValidString(s) {
			return errors.New("a string is not UTF-8")
		}
		v.SetString(s)
		return err
	case reflect.Array:
		b, err := d.DecodeBytes()
		if err != nil {
			return err
		}
		if len(b) != v.Len() {
			return fmt.Errorf("%d bytes, want %d", len(b), v.Len())
		}
		reflect.Copy(v, reflect.ValueOf(b))
		return nil
	case reflect.Slice:
		return decodeSlice(d, v, limit)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decodeValue(d, v.Elem(), limit)
	case reflect.Struct:
		return decodeStruct(d, v)
	}
	return fmt.Errorf("type %s does not travel", v.Type())
}

// decodeInt and decodeUint refuse what the library would silently wrap: a
// float, or an integer of the other sign.
func decodeInt(d *msgpack.Decoder) (int64, error) {
	c, err := d.PeekCode()
	if err != nil {
		return 0, err
	}
	if c == 0xcf {
		n, err := d.DecodeUint64()
		if err == nil && n > math.MaxInt64 {
			return 0, fmt.Errorf("%d is out of range", n)
		}
		return int64(n), err
	}
	if !isInt(c) {
		return 0, fmt.Errorf("type 0x%02x is not an integer", c)
	}
	return d.DecodeInt64()
}

func decodeUint(d *msgpack.Decoder) (uint64, error) {
	c, err := d.PeekCode()
	if err != nil {
		return 0, err
	}
	if !isInt(c) {
		return 0, fmt.Errorf("type 0x%02x is not an integer", c)
	}
	if c >= 0xe0 || (c >= 0xd0 && c <= 0xd3) {
		n, err := d.DecodeInt64()
		if err == nil && n < 0 {
			return 0, fmt.Errorf("%d is negative", n)
		}
		return uint64(n), err
	}
	return d.DecodeUint64()
}

func isInt(c byte) bool { return c <= 0x7f || c >= 0xe0 || (c >= 0xcc && c <= 0xd3) }

func decodeSlice(d *msgpack.Decoder, v reflect.Value, limit int) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		b, err := d.DecodeBytes()
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(b).Convert(v.Type()))
		return nil
	}
	n, err := d.DecodeArrayLen()
	if err != nil {
		return err
	}
	if n > limit {
		return fmt.Errorf("%d elements of %s, at most %d", n, v.Type(), limit)
	}
	s := reflect.MakeSlice(v.Type(), 0, max(0, min(n, 256))) // grows with what is really there
	for range n {
		el := reflect.New(v.Type().Elem()).Elem()
		if err := decodeValue(d, el, defaultMax); err != nil {
			return err
		}
		s = reflect.Append(s, el)
	}
	v.Set(s)
	return nil
}

func decodeStruct(d *msgpack.Decoder, v reflect.Value) error {
	l := layoutOf(v.Type())
	if l.array {
		n, err := d.DecodeArrayLen()
		if err != nil {
			return err
		}
		for i := range n {
			if i < len(l.fields) {
				f := l.fields[i]
				if err := decodeValue(d, v.Field(f.index), f.max); err != nil {
					return fmt.Errorf("element %d: %w", i, err)
				}
			} else if err := d.Skip(); err != nil {
				return err
			}
		}
		return nil
	}
	n, err := d.DecodeMapLen()
	if err != nil {
		return err
	}
	for range n {
		key, err := decodeUint(d)
		if err != nil {
			return fmt.Errorf("key: %w", err)
		}
		i, ok := slices.BinarySearchFunc(l.fields, key, func(f field, k uint64) int { return cmp.Compare(f.key, k) })
		if !ok {
			if err := d.Skip(); err != nil {
				return err
			}
			continue
		}
		f := l.fields[i]
		if err := decodeValue(d, v.Field(f.index), f.max); err != nil {
			return fmt.Errorf("key %d: %w", key, err)
		}
	}
	return nil
}
