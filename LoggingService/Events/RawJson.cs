using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace LoggingService.Events;

/// <summary>
/// One JSON value as the bytes that were sent: read in place, never rewritten, never rejected for its depth, its numbers,
/// its repeated keys or its unpaired surrogates, at which <see cref="JsonElement"/> throws. The bytes are valid UTF-8 and
/// one whole JSON value (<see cref="TryParse"/>).
/// A missing value is <c>default</c>: its <see cref="Kind"/> is <see cref="JsonValueKind.Undefined"/>, and everything read
/// from it is missing too. So a path into content of the wrong shape ends in a missing value, not in an exception.
/// </summary>
internal readonly struct RawJson
{
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    private readonly JsonMember[]? _members;

    /// <param name="bytes">One JSON value that a reader has checked.</param>
    /// <param name="members">All members of this object, if the reader noted them.</param>
    public RawJson(ReadOnlyMemory<byte> bytes, JsonMember[]? members = null)
    {
        Bytes = bytes;
        _members = members;
    }

    /// <summary>Reads a value, from its first token to its last, within the JSON that the reader reads.</summary>
    public delegate T ReadValue<out T>(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json);

    /// <summary>The value's bytes, without surrounding white space; empty if it is missing.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    public JsonValueKind Kind => Bytes.IsEmpty ? JsonValueKind.Undefined : Bytes.Span[0] switch
    {
        (byte)'{' => JsonValueKind.Object,
        (byte)'[' => JsonValueKind.Array,
        (byte)'"' => JsonValueKind.String,
        (byte)'t' => JsonValueKind.True,
        (byte)'f' => JsonValueKind.False,
        (byte)'n' => JsonValueKind.Null,
        _ => JsonValueKind.Number,
    };

    public bool IsEmptyObject => Kind == JsonValueKind.Object && !new JsonCursor(Bytes.Span).MoveNext();

    /// <summary>The value of a key of this object, the last one if the key is repeated; missing if there is none.</summary>
    public RawJson this[ReadOnlySpan<byte> name]
    {
        get
        {
            RawJson value = default;
            if (_members is not null)
            {
                return Find(name);
            }

            // Most lookups miss, and a search for the name is faster than a search for the end of each value.
            if (Kind == JsonValueKind.Object && (Bytes.Span.IndexOf(name) >= 0 || Bytes.Span.Contains((byte)'\\')))
            {
                for (var cursor = new JsonCursor(Bytes.Span); cursor.MoveNext();)
                {
                    var matches = JsonString.AreEqual(cursor.ReadName(), name);
                    var range = cursor.ReadValue();
                    if (matches)
                    {
                        value = Slice(range);
                    }
                }
            }

            return value;
        }
    }

    /// <summary>Parses one JSON value that fills the bytes, except for white space around it.</summary>
    /// <param name="error">The reason, which repeats none of the bytes.</param>
    public static bool TryParse(ReadOnlyMemory<byte> bytes, out RawJson value, [NotNullWhen(false)] out string? error) =>
        TryParse(bytes, Read, out value, out error);

    /// <summary>As above, for what the caller reads from the value in the same pass.</summary>
    public static bool TryParse<T>(
        ReadOnlyMemory<byte> bytes, ReadValue<T> read, [MaybeNullWhen(false)] out T value, [NotNullWhen(false)] out string? error)
    {
        value = default;
        if (!System.Text.Unicode.Utf8.IsValid(bytes.Span))
        {
            error = "it is not UTF-8";
            return false;
        }

        var reader = new Utf8JsonReader(bytes.Span, isFinalBlock: true, new JsonReaderState(AnyDepth));
        try
        {
            reader.Read();
            value = read(ref reader, bytes);
            reader.Read();
        }
        catch (JsonException e)
        {
            value = default;
            error = $"it is not JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})";
            return false;
        }

        error = null;
        return true;
    }

    /// <inheritdoc cref="ReadValue{T}"/>
    public static RawJson Read(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return new(json[start..(int)reader.BytesConsumed]);
    }

    /// <summary>The value within this one at a range that a reader of it returned.</summary>
    public RawJson Slice(Range range) => new(Bytes[range]);

    /// <summary>The decoded string, or <c>null</c>. An unpaired surrogate is kept.</summary>
    public string? AsString() => Kind == JsonValueKind.String ? JsonString.Decode(Bytes.Span[1..^1]) : null;

    /// <summary>As <see cref="AsString"/>, for a string that many events have.</summary>
    public string? AsSharedString() => Kind == JsonValueKind.String ? SharedStrings.Decode(Bytes.Span[1..^1]) : null;

    /// <summary>The number, truncated to an integer and saturated to <see cref="long"/>, or <c>null</c>.</summary>
    public long? AsInteger()
    {
        if (Kind != JsonValueKind.Number)
        {
            return null;
        }

        if (Utf8Parser.TryParse(Bytes.Span, out long integer, out var length) && length == Bytes.Length)
        {
            return integer;
        }

        // 1e400 parses as infinity, and the cast saturates.
        return (long)double.Parse(Bytes.Span, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    public bool? AsBoolean() => Kind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null };

    /// <summary>As <see cref="AsString"/>, but as UTF-8: usually a part of this value's bytes.</summary>
    public Utf8Text? AsText() => Kind == JsonValueKind.String ? JsonString.ToText(Bytes[1..^1]) : null;

    /// <summary>This is a string with that text.</summary>
    public bool IsString(ReadOnlySpan<byte> text) => Kind == JsonValueKind.String && JsonString.AreEqual(Bytes.Span[1..^1], text);

    /// <summary>The elements of this array, in order; none if this is not an array.</summary>
    public List<RawJson> Items()
    {
        var items = new List<RawJson>();
        if (Kind == JsonValueKind.Array)
        {
            for (var cursor = new JsonCursor(Bytes.Span); cursor.MoveNext();)
            {
                items.Add(Slice(cursor.ReadValue()));
            }
        }

        return items;
    }

    /// <summary>The members of this object, in order, each key once with its last value; none if this is not an object.</summary>
    public OrderedDictionary<Utf8Text, RawJson> Members()
    {
        var members = new OrderedDictionary<Utf8Text, RawJson>();
        if (Kind == JsonValueKind.Object)
        {
            for (var cursor = new JsonCursor(Bytes.Span); cursor.MoveNext();)
            {
                var name = JsonString.ToText(cursor.ReadName().ToArray());
                members[name] = Slice(cursor.ReadValue());
            }
        }

        return members;
    }

    /// <summary>The value as it was sent, without the white space between its tokens.</summary>
    public Utf8Text ToCompactText()
    {
        if (Bytes.Span.IndexOfAny(" \t\n\r"u8) < 0)
        {
            return new(Bytes);
        }

        using var compact = new MemoryStream(Bytes.Length);
        CopyTokens(Bytes.Span, compact, " \t\n\r"u8);
        return new(compact.GetBuffer().AsMemory(0, (int)compact.Length));
    }

    /// <summary>Writes the value byte for byte, except for white space between its tokens that contains a line break.</summary>
    public void WriteSingleLine(Stream output) => WriteSingleLine(Bytes.Span, output);

    /// <summary>As above, but without the closing brace of this object, so that members can be appended.</summary>
    public void WriteOpenObject(Stream output) => WriteSingleLine(Bytes.Span[..^1], output);

    private RawJson Find(ReadOnlySpan<byte> name)
    {
        var json = Bytes.Span;
        for (var i = _members!.Length - 1; i >= 0; i--)
        {
            if (json[_members[i].Name].SequenceEqual(name))
            {
                return new(Bytes[_members[i].Value], _members[i].Members);
            }
        }

        return default;
    }

    private static void WriteSingleLine(ReadOnlySpan<byte> json, Stream output)
    {
        // Line breaks within strings are always escaped, so most values contain none.
        if (json.IndexOfAny((byte)'\n', (byte)'\r') < 0)
        {
            output.Write(json);
        }
        else
        {
            CopyTokens(json, output, "\n\r"u8);
        }
    }

    /// <summary>Omits runs of white space between tokens that contain one of the bytes <paramref name="dropped"/>.</summary>
    private static void CopyTokens(ReadOnlySpan<byte> json, Stream output, ReadOnlySpan<byte> dropped)
    {
        while (!json.IsEmpty)
        {
            var length = json[0] switch
            {
                (byte)'"' => JsonString.LengthWithQuotes(json),
                <= (byte)' ' => json.IndexOfAnyExcept(" \t\n\r"u8),
                _ => json.IndexOfAny("\" \t\n\r"u8),
            };
            var token = length < 0 ? json : json[..length];
            if (json[0] > ' ' || token.IndexOfAny(dropped) < 0)
            {
                output.Write(token);
            }

            json = json[token.Length..];
        }
    }
}
