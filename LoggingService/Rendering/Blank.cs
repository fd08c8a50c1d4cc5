using System.Buffers;
using System.Globalization;
using System.Text;

namespace LoggingService.Rendering;

/// <summary>Text that looks like none: of spaces of any width.</summary>
internal static class Blank
{
    private const int BrailleBlank = 0x2800;

    /// <param name="text">The text.</param>
    /// <param name="alsoLineBreaks">Line breaks and tabs are blank too: a line shows them as symbols.</param>
    public static bool IsBlank(ReadOnlySpan<byte> text, bool alsoLineBreaks = false)
    {
        // Nearly all text begins with a visible character of ASCII.
        if (text is [> (byte)' ' and < 0x7F, ..])
        {
            return false;
        }

        while (Rune.DecodeFromUtf8(text, out var rune, out var length) == OperationStatus.Done && IsSpace(rune, alsoLineBreaks))
        {
            text = text[length..];
        }

        return text.IsEmpty;
    }

    private static bool IsSpace(Rune rune, bool alsoLineBreaks) =>
        rune.Value is ' ' or BrailleBlank
        || (rune.Value > ' ' && Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator)
        || (alsoLineBreaks && Rune.IsWhiteSpace(rune));
}
