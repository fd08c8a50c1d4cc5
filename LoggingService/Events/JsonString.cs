using System.Buffers.Text;
using System.Text;

namespace LoggingService.Events;

/// <summary>Valid JSON strings: encoded bytes, without their quotes unless noted otherwise.</summary>
internal static class JsonString
{
    private const int UnitLength = 6;

    /// <summary>The length of the string that starts here, with its quotes.</summary>
    public static int LengthWithQuotes(ReadOnlySpan<byte> json)
    {
        for (var i = 1; ; i += 2)
        {
            i += json[i..].IndexOfAny((byte)'"', (byte)'\\');
            if (json[i] == '"')
            {
                return i + 1;
            }
        }
    }

    public static bool AreEqual(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> utf8)
    {
        // An escape sequence is longer than its character.
        var isEscaped = encoded.Length > utf8.Length && encoded.Contains((byte)'\\');
        return isEscaped ? Unescape(encoded).Span.SequenceEqual(utf8) : encoded.SequenceEqual(utf8);
    }

    /// <summary>Encodes text as ASCII, without quotes, so that also an unpaired surrogate is kept.</summary>
    public static string Encode(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var unit in text)
        {
            if (unit is < ' ' or > '~' or '"' or '\\')
            {
                escaped.Append($"\\u{(int)unit:x4}");
            }
            else
            {
                escaped.Append(unit);
            }
        }

        return escaped.ToString();
    }

    /// <summary>Unpaired surrogates are kept.</summary>
    public static string Decode(ReadOnlySpan<byte> encoded) => encoded.Contains((byte)'\\')
        ? Utf8Text.Decode(Unescape(encoded).Span)
        : Encoding.UTF8.GetString(encoded);

    /// <summary>A string without escape sequences is the text itself.</summary>
    public static Utf8Text ToText(ReadOnlyMemory<byte> encoded) =>
        new(encoded.Span.Contains((byte)'\\') ? Unescape(encoded.Span) : encoded);

    /// <summary>Unpaired surrogates are encoded as in <see cref="Utf8Text"/>.</summary>
    private static ReadOnlyMemory<byte> Unescape(ReadOnlySpan<byte> encoded)
    {
        // No escape sequence is shorter than the character that it stands for.
        var text = new byte[encoded.Length];
        var length = 0;
        for (var escape = encoded.IndexOf((byte)'\\'); escape >= 0; escape = encoded.IndexOf((byte)'\\'))
        {
            encoded[..escape].CopyTo(text.AsSpan(length));
            length += escape;
            encoded = encoded[escape..];
            if (encoded[1] == 'u')
            {
                length += DecodeUnits(ref encoded, text.AsSpan(length));
                continue;
            }

            text[length++] = encoded[1] switch
            {
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                var same => same,
            };
            encoded = encoded[2..];
        }

        encoded.CopyTo(text.AsSpan(length));
        return text.AsMemory(0, length + encoded.Length);
    }

    /// <summary>Moves past a UTF-16 unit (<c>\u00e5</c>), or past a pair of surrogates.</summary>
    private static int DecodeUnits(ref ReadOnlySpan<byte> encoded, Span<byte> output)
    {
        var unit = ReadUnit(encoded);
        encoded = encoded[UnitLength..];
        if (encoded.StartsWith("\\u"u8) && Rune.TryCreate(unit, ReadUnit(encoded), out var rune))
        {
            encoded = encoded[UnitLength..];
            return rune.EncodeToUtf8(output);
        }

        return Utf8Text.EncodeUnit(unit, output);
    }

    private static char ReadUnit(ReadOnlySpan<byte> encoded)
    {
        _ = Utf8Parser.TryParse(encoded.Slice(2, 4), out ushort unit, out _, 'x');
        return (char)unit;
    }
}
