using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LoggingService.Events;

/// <summary>
/// One JSON value as the bytes that were sent: looked into where they lie, never rewritten, never refused for its
/// depth, its numbers, its repeated keys or its unpaired surrogates, at which <see cref="JsonElement"/> throws.
/// The bytes must be valid UTF-8 and one whole JSON value (<see cref="TryParse"/>).
/// A value that is missing is <c>default</c>: its <see cref="Kind"/> is <see cref="JsonValueKind.Undefined"/>, and
/// whatever is asked of it is missing too, so that a path into content of a wrong shape ends in nothing, not in an exception.
/// </summary>
internal readonly struct RawJson
{
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    private RawJson(ReadOnlyMemory<byte> bytes) => Bytes = bytes;

    /// <summary>The value's own bytes, without white space around it; empty where it is missing.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>What the first byte says that the value is.</summary>
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

    /// <summary>Whether this is an object with nothing in it.</summary>
    public bool IsEmptyObject => Kind == JsonValueKind.Object && !new JsonCursor(Bytes.Span).MoveNext();

    /// <summary>The value of a key of this object, the last one where a key is repeated; missing where there is none.</summary>
    /// <param name="name">The key, in UTF-8 and unescaped.</param>
    public RawJson this[ReadOnlySpan<byte> name]
    {
        get
        {
            RawJson found = default;

            // Most keys that are looked for aren't there, which is found out faster than where each value ends.
            if (Kind == JsonValueKind.Object && (Bytes.Span.IndexOf(name) >= 0 || Bytes.Span.Contains((byte)'\\')))
            {
                for (var cursor = new JsonCursor(Bytes.Span); cursor.MoveNext();)
                {
                    var matches = NameEquals(cursor.ReadName(), name);
                    var value = cursor.ReadValue();
                    if (matches)
                    {
                        found = new(Bytes[value]);
                    }
                }
            }

            return found;
        }
    }

    /// <summary>The values of several keys of this object, found in one pass; each is what the indexer finds.</summary>
    /// <param name="names">The keys, in UTF-8 and unescaped.</param>
    public RawJson[] GetValues(IReadOnlyList<byte[]> names)
    {
        var found = new RawJson[names.Count];
        if (Kind == JsonValueKind.Object)
        {
            for (var cursor = new JsonCursor(Bytes.Span); cursor.MoveNext();)
            {
                var name = cursor.ReadName();
                var i = 0;
                while (i < names.Count && !NameEquals(name, names[i]))
                {
                    i++;
                }

                var value = cursor.ReadValue();
                if (i < names.Count)
                {
                    found[i] = new(Bytes[value]);
                }
            }
        }

        return found;
    }

    /// <summary>The string's text; <c>null</c> where this is no string. An unpaired surrogate stays one.</summary>
    public string? AsString() => Kind == JsonValueKind.String ? Decode(Bytes.Span[1..^1]) : null;

    /// <summary>The number, cut to a whole one and to what a <see cref="long"/> holds; <c>null</c> where this is no number.</summary>
    public long? AsInteger()
    {
        if (Kind != JsonValueKind.Number)
        {
            return null;
        }

        if (Utf8Parser.TryParse(Bytes.Span, out long whole, out var read) && read == Bytes.Length)
        {
            return whole;
        }

        // 1e400 parses as infinity, and the cast saturates.
        return (long)double.Parse(Bytes.Span, NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    /// <summary><c>true</c> or <c>false</c>; <c>null</c> where this is neither.</summary>
    public bool? AsBoolean() => Kind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => null };

    /// <summary>The array's elements, in order; nothing where this is no array.</summary>
    public List<RawJson> Items()
    {
        var items = new List<RawJson>();
        if (Kind == JsonValueKind.Array)
        {
            for (var cursor = new JsonCursor(Bytes.Span); cursor.MoveNext();)
            {
                items.Add(new(Bytes[cursor.ReadValue()]));
            }
        }

        return items;
    }

    /// <summary>The object's keys and values, in order, with the last value where a key is repeated; nothing where this is no object.</summary>
    public OrderedDictionary<string, RawJson> Members()
    {
        var members = new OrderedDictionary<string, RawJson>(StringComparer.Ordinal);
        if (Kind == JsonValueKind.Object)
        {
            for (var cursor = new JsonCursor(Bytes.Span); cursor.MoveNext();)
            {
                var name = Decode(cursor.ReadName());
                members[name] = new(Bytes[cursor.ReadValue()]);
            }
        }

        return members;
    }

    /// <summary>The value as it was sent, without the white space between its tokens.</summary>
    public string ToCompactString()
    {
        using var compact = new MemoryStream(Bytes.Length);
        CopyTokens(compact, static b => b is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r');
        return Encoding.UTF8.GetString(compact.GetBuffer().AsSpan(0, (int)compact.Length));
    }

    /// <summary>
    /// Writes the value byte for byte, but for the white space between its tokens that holds a line break: that drops
    /// out, so that what is written is one line.
    /// </summary>
    public void WriteSingleLine(Stream output)
    {
        // Inside a string a line break is always escaped: none at all means that there is nothing to drop.
        if (Bytes.Span.IndexOfAny((byte)'\n', (byte)'\r') < 0)
        {
            output.Write(Bytes.Span);
        }
        else
        {
            CopyTokens(output, static b => b is (byte)'\n' or (byte)'\r');
        }
    }

    /// <summary>An object's bytes up to its closing brace: no value any more, only to be written.</summary>
    internal RawJson WithoutClosingBrace() => new(Bytes[..^1]);

    /// <summary>Reads one JSON value that fills the bytes, white space around it aside.</summary>
    /// <param name="bytes">Any bytes.</param>
    /// <param name="value">The value, or missing.</param>
    /// <param name="error">Where it is no JSON or no UTF-8: what is wrong, in words that repeat nothing of it.</param>
    public static bool TryParse(ReadOnlyMemory<byte> bytes, out RawJson value, [NotNullWhen(false)] out string? error)
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
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            value = new(bytes[start..(int)reader.BytesConsumed]);
            reader.Read();
        }
        catch (JsonException e)
        {
            value = default;
            error = $"it is no JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})";
            return false;
        }

        error = null;
        return true;
    }

    private static bool NameEquals(ReadOnlySpan<byte> sent, ReadOnlySpan<byte> name) =>
        sent.Contains((byte)'\\')
            ? string.Equals(Decode(sent), Encoding.UTF8.GetString(name), StringComparison.Ordinal)
            : sent.SequenceEqual(name);

    private static string Decode(ReadOnlySpan<byte> sent)
    {
        var escape = sent.IndexOf((byte)'\\');
        if (escape < 0)
        {
            return Encoding.UTF8.GetString(sent);
        }

        var text = new StringBuilder(sent.Length);
        for (; escape >= 0; escape = sent.IndexOf((byte)'\\'))
        {
            text.Append(Encoding.UTF8.GetString(sent[..escape]));
            if (sent[escape + 1] == 'u')
            {
                _ = Utf8Parser.TryParse(sent.Slice(escape + 2, 4), out ushort unit, out _, 'x');
                text.Append((char)unit);
                sent = sent[(escape + 6)..];
                continue;
            }

            text.Append((char)sent[escape + 1] switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', var same => same });
            sent = sent[(escape + 2)..];
        }

        return text.Append(Encoding.UTF8.GetString(sent)).ToString();
    }

    /// <summary>Copies all but the runs of white space between tokens that hold a byte that <paramref name="drops"/> its run.</summary>
    private void CopyTokens(Stream output, Func<byte, bool> drops)
    {
        var bytes = Bytes.Span;
        for (var i = 0; i < bytes.Length;)
        {
            var start = i;
            if (bytes[i] == '"')
            {
                for (i++; bytes[i] != '"'; i += bytes[i] == '\\' ? 2 : 1)
                {
                }

                i++;
                output.Write(bytes[start..i]);
                continue;
            }

            var isWhiteSpace = bytes[i] <= ' ';
            var drop = false;
            for (; i < bytes.Length && bytes[i] != '"' && bytes[i] <= ' ' == isWhiteSpace; i++)
            {
                drop |= isWhiteSpace && drops(bytes[i]);
            }

            if (!drop)
            {
                output.Write(bytes[start..i]);
            }
        }
    }
}
