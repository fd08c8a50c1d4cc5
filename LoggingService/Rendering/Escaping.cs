using System.Buffers;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>
/// Escapes untrusted text, in the forms of <see cref="SafeText"/>. Runs of harmless characters are found by a vectorized
/// search and copied; only others are decoded. Emoji sequences and scripts that need joiners are kept.
/// </summary>
internal static class Escaping
{
    private const int SurrogateLength = 3;

    // The first byte of 64 or more characters of which at least one is invisible, or a space.
    private static readonly SearchValues<byte> Mixed =
        SearchValues.Create([0xC2, 0xCD, 0xD8, 0xE1, 0xE2, 0xE3, 0xED, 0xEF, 0xF0, 0xF1, 0xF2, 0xF3, 0xF4]);

    private static readonly byte[] Harmless =
        [.. Enumerable.Range(0, 256).Select(static b => (byte)b).Where(static b => b is >= 0x20 and not 0x7F && !Mixed.Contains(b))];

    private static readonly SearchValues<byte> HarmlessInText = SearchValues.Create(Harmless);
    private static readonly SearchValues<byte> HarmlessInQuotes = SearchValues.Create([.. Harmless.Except("\"\\"u8.ToArray())]);

    // Without characters that would end an identifier or its head, and those that encode others: the encoding is injective.
    private static readonly SearchValues<byte> HarmlessInIdentifier = SearchValues.Create([.. Harmless.Except(" <>,\"%\\"u8.ToArray())]);

    private static readonly SearchValues<char> HarmlessUnits = SearchValues.Create(
        [.. Enumerable.Range(0, 0x300).Select(static c => (char)c).Where(static c => !char.IsControl(c) && c != '\u00AD')]);

    private enum Place
    {
        Text,
        Quotes,
        Identifier,
    }

    /// <summary>Escaping would not change it; false if in doubt.</summary>
    public static bool IsHarmless(string text) => !text.AsSpan().ContainsAnyExcept(HarmlessUnits);

    public static void WriteText(LineBuffer output, ReadOnlySpan<byte> text) => Write(output, text, Place.Text, HarmlessInText);

    /// <summary>Escapes <c>"</c> and <c>\</c> too.</summary>
    public static void WriteInQuotes(LineBuffer output, ReadOnlySpan<byte> text) =>
        Write(output, text, Place.Quotes, HarmlessInQuotes);

    /// <summary>Percent-encodes spaces and reserved characters, and escapes every invisible character.</summary>
    public static void WriteIdentifier(LineBuffer output, ReadOnlySpan<byte> text) =>
        Write(output, text, Place.Identifier, HarmlessInIdentifier);

    private static void Write(LineBuffer output, ReadOnlySpan<byte> text, Place place, SearchValues<byte> harmless)
    {
        // What is before `copied` has been written; what is between it and `i` is kept as it is.
        var copied = 0;
        var flagEnd = -1;
        for (var i = 0; ;)
        {
            var run = text[i..].IndexOfAnyExcept(harmless);
            if (run < 0)
            {
                output.Append(text[copied..]);
                return;
            }

            i += run;
            var rest = text[i..];
            var isValid = Rune.DecodeFromUtf8(rest, out var rune, out var length) == OperationStatus.Done;
            length = isValid ? length : SurrogateLength;
            if (isValid && rune.Value >= 0x80 && IsKept(rune, place, text[copied..i], isAfterFlag: i == flagEnd, rest[length..]))
            {
                i += length;
                if (place != Place.Identifier && Invisible.FlagTagLength(rest) is > 0 and var tags)
                {
                    i += tags;
                    flagEnd = i;
                }

                continue;
            }

            output.Append(text[copied..i]);
            WriteReplacement(output, rest[..length], isValid ? rune : null, place, isBeforeNewline: rest.StartsWith("\r\n"u8));
            i += length;
            copied = i;
        }
    }

    /// <param name="kept">Unchanged text before it; empty after a replaced character, which justifies nothing.</param>
    private static bool IsKept(Rune rune, Place place, ReadOnlySpan<byte> kept, bool isAfterFlag, ReadOnlySpan<byte> after)
    {
        if (place == Place.Identifier)
        {
            return !Invisible.IsInvisible(rune) && !IsSpace(rune);
        }

        if (!Invisible.IsInvisible(rune))
        {
            return true;
        }

        Rune? before = isAfterFlag ? new Rune(Invisible.BlackFlag)
            : Rune.DecodeLastFromUtf8(kept, out var last, out _) == OperationStatus.Done ? last
            : null;
        return Invisible.IsAllowedHere(rune, before, after);
    }

    private static void WriteReplacement(LineBuffer output, ReadOnlySpan<byte> bytes, Rune? rune, Place place, bool isBeforeNewline)
    {
        switch (bytes[0])
        {
            case (byte)'\r' when isBeforeNewline:
                break;
            case < 0x20:
                // U+2400 and the following are the Control Pictures.
                output.Append([0xE2, 0x90, (byte)(0x80 + bytes[0])]);
                break;
            case 0x7F:
                output.Append("␡"u8);
                break;
            case < 0x80 when place == Place.Quotes:
                output.Append([(byte)'\\', bytes[0]]);
                break;
            case < 0x80:
                WritePercentEncoded(output, bytes);
                break;
            default:
                if (place == Place.Identifier && rune is { } space && IsSpace(space))
                {
                    WritePercentEncoded(output, bytes);
                    break;
                }

                output.Append("\\u{"u8);
                output.AppendFormatted(rune?.Value ?? Utf8Text.DecodeSurrogate(bytes), "X");
                output.Append("}"u8);
                break;
        }
    }

    private static void WritePercentEncoded(LineBuffer output, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            output.Append("%"u8);
            output.AppendFormatted(value, "X2");
        }
    }

    /// <summary>As opposed to separators, which are escaped. The Braille blank looks like a space.</summary>
    private static bool IsSpace(Rune rune) => rune.Value == 0x2800
        || (Rune.IsWhiteSpace(rune) && !Rune.IsControl(rune) && rune.Value is not (0x2028 or 0x2029));
}
