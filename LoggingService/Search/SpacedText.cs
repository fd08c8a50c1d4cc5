using System.Buffers;
using System.Globalization;
using System.Text;

namespace LoggingService.Search;

/// <summary>
/// A text as it is given to the index, which separates words at what is neither letter, digit, mark nor symbol. Scripts without spaces
/// between words become pairs of characters, so that any two of them are found; an emoji or another symbol becomes a word.
/// </summary>
internal static class SpacedText
{
    // Nearly all text needs no change.
    private static readonly SearchValues<char> Unchanged = SearchValues.Create(
        [.. Enumerable.Range(' ', 0x7F - ' ').Concat(Enumerable.Range(0xC0, 0x240 - 0xC0)).Concat(Enumerable.Range(0x370, 0x482 - 0x370))
            .Append('\n').Select(c => (char)c)]);

    private enum Kind
    {
        Word,
        Pairs,
        Symbol,
        Separator,
        Dropped,
    }

    public static string Of(string text) => text.AsSpan().ContainsAnyExcept(Unchanged) ? Create(text, null, isQuery: false) : text;

    /// <summary>Of a part of a query: without what the index adds behind a run of pairs, where the text may go on.</summary>
    public static string OfQuery(string text) => Create(text, null, isQuery: true).Trim();

    /// <param name="source">Receives the index within the text of each character of the result, -1 for spaces.</param>
    public static string WithSource(string text, List<int> source) => Create(text, source, isQuery: false);

    /// <summary>Whether the last word of a text is one character of a script without spaces.</summary>
    public static bool EndsWithOneOfPairs(string text)
    {
        var run = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            run = KindOf(rune) switch
            {
                Kind.Pairs => run + 1,
                Kind.Dropped => run,
                _ => 0,
            };
        }

        return run == 1;
    }

    /// <summary>Whether a text contains a word.</summary>
    public static bool HasWord(string text) => text.EnumerateRunes().Any(rune => KindOf(rune) switch
    {
        Kind.Pairs or Kind.Symbol => true,
        Kind.Word => Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is
            UnicodeCategory.PrivateUse or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber,
        _ => false,
    });

    private static string Create(string text, List<int>? source, bool isQuery)
    {
        var output = new StringBuilder(text.Length + 16);
        var before = Kind.Separator;
        for (var i = 0; i < text.Length;)
        {
            var isValid = Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var length) == OperationStatus.Done;
            var kind = isValid ? KindOf(rune) : Kind.Separator;
            switch (kind)
            {
                case Kind.Pairs:
                    i = AppendPairs(text, i, output, source, isQuery);
                    before = Kind.Pairs;
                    continue;
                case Kind.Symbol:
                    Space();
                    Append(output, text, i, length, source);
                    break;
                case Kind.Word:
                    if (before is Kind.Pairs or Kind.Symbol)
                    {
                        Space();
                    }

                    Append(output, text, i, length, source);
                    break;
                case Kind.Separator:
                    Space();
                    break;
            }

            before = kind == Kind.Dropped ? before : kind;
            i += length;
        }

        return output.ToString();

        void Space()
        {
            output.Append(' ');
            source?.Add(-1);
        }
    }

    /// <summary>Appends the pairs of a run of characters, and its last one, and returns where it ends.</summary>
    private static int AppendPairs(string text, int start, StringBuilder output, List<int>? source, bool isQuery)
    {
        var runes = new List<(int Index, int Length)>();
        var end = start;
        while (end < text.Length && Rune.DecodeFromUtf16(text.AsSpan(end), out var rune, out var length) == OperationStatus.Done)
        {
            var kind = KindOf(rune);
            if (kind == Kind.Pairs)
            {
                runes.Add((end, length));
            }
            else if (kind != Kind.Dropped)
            {
                break;
            }

            end += length;
        }

        var isOpen = isQuery && runes.Count > 1 && !HasWord(text[end..]);
        for (var i = 0; i < runes.Count - (isOpen ? 1 : 0); i++)
        {
            var isLast = i == runes.Count - 1;
            output.Append(' ');
            source?.Add(-1);
            Append(output, text, runes[i].Index, runes[i].Length, source);
            if (!isLast)
            {
                Append(output, text, runes[i + 1].Index, runes[i + 1].Length, source);
            }
        }

        return end;
    }

    private static void Append(StringBuilder output, string text, int index, int length, List<int>? source)
    {
        output.Append(text, index, length);
        for (var i = 0; i < length; i++)
        {
            source?.Add(index + i);
        }
    }

    private static Kind KindOf(Rune rune) => rune.Value switch
    {
        < ' ' or 0x7F => Kind.Separator,
        < 0x80 => Kind.Word,

        // Vowel points of Hebrew and Arabic, the Arabic elongation, variation selectors, tones of skin.
        >= 0x591 and <= 0x5BD or 0x5BF or 0x5C1 or 0x5C2 or 0x5C4 or 0x5C5 or 0x5C7 => Kind.Dropped,
        0x640 or >= 0x610 and <= 0x61A or >= 0x64B and <= 0x65F or 0x670 or >= 0x6D6 and <= 0x6DC or >= 0x6DF and <= 0x6E8 => Kind.Dropped,
        >= 0xFE00 and <= 0xFE0F or >= 0xE0100 and <= 0xE01EF or >= 0x1F3FB and <= 0x1F3FF => Kind.Dropped,
        _ when HasNoSpaces(rune.Value) => Kind.Pairs,
        _ => Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.OtherSymbol => Kind.Symbol,
            UnicodeCategory.Control or UnicodeCategory.Surrogate => Kind.Separator,
            _ => Kind.Word,
        },
    };

    /// <summary>Thai, Lao, Burmese, Khmer; Chinese, Japanese and Korean characters, also of half width.</summary>
    private static bool HasNoSpaces(int c) => c is
        (>= 0xE01 and <= 0xE3A) or (>= 0xE40 and <= 0xE4E) or (>= 0xE81 and <= 0xEBD) or (>= 0xEC0 and <= 0xEC6) or
        (>= 0x1000 and <= 0x103F) or (>= 0x1100 and <= 0x11FF) or (>= 0x1780 and <= 0x17D3) or
        (>= 0x2E80 and <= 0x2FDF) or (>= 0x3005 and <= 0x3007) or (>= 0x3021 and <= 0x3029) or (>= 0x3031 and <= 0x3035) or
        (>= 0x3041 and <= 0x3096) or (>= 0x309D and <= 0x309F) or (>= 0x30A1 and <= 0x30FA) or (>= 0x30FC and <= 0x318E) or
        (>= 0x31A0 and <= 0x31BF) or (>= 0x31F0 and <= 0x31FF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or
        (>= 0xA960 and <= 0xA97C) or (>= 0xAC00 and <= 0xD7FB) or (>= 0xF900 and <= 0xFAFF) or (>= 0xFF66 and <= 0xFFDC) or
        (>= 0x1B000 and <= 0x1B16F) or (>= 0x20000 and <= 0x323AF);
}
