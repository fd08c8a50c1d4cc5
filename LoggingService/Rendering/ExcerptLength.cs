using System.Buffers;
using System.Globalization;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>The length of the start of a text that an excerpt shows, between characters as perceived by users.</summary>
internal static class ExcerptLength
{
    private const int MaxCharacters = 40;
    private const int MaxUnits = 200;

    /// <summary>In bytes; the limits are <see cref="MaxCharacters"/> and, for characters that are long, UTF-16 units.</summary>
    public static int Of(ReadOnlySpan<byte> text)
    {
        // Each character of ASCII is perceived as one, except for CR LF; the one behind the last could extend it.
        var start = text[..Math.Min(text.Length, MaxCharacters + 1)];
        return Ascii.IsValid(start) && !start.Contains((byte)'\r') ? Math.Min(text.Length, MaxCharacters) : OfAny(text);
    }

    private static int OfAny(ReadOnlySpan<byte> text)
    {
        // More units than are shown, so that the end of the last character shown is decided as in the whole text.
        Span<char> units = stackalloc char[MaxUnits + 2];
        var count = 0;
        for (var rest = text; !rest.IsEmpty && count <= MaxUnits;)
        {
            count += DecodeNext(ref rest, units[count..]);
        }

        var shown = 0;
        for (var characters = 0; characters < MaxCharacters && shown < count; characters++)
        {
            var next = StringInfo.GetNextTextElementLength(units[shown..count]);
            if (shown + next > MaxUnits)
            {
                break;
            }

            shown += next;
        }

        var end = text;
        while (shown > 0)
        {
            shown -= DecodeNext(ref end, units);
        }

        return text.Length - end.Length;
    }

    /// <summary>Moves past a character, and returns the number of its UTF-16 units.</summary>
    private static int DecodeNext(ref ReadOnlySpan<byte> text, scoped Span<char> units)
    {
        if (Rune.DecodeFromUtf8(text, out var rune, out var length) == OperationStatus.Done)
        {
            text = text[length..];
            return rune.EncodeToUtf16(units);
        }

        units[0] = Utf8Text.DecodeSurrogate(text);
        text = text[3..];
        return 1;
    }
}
