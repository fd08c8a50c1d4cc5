using System.Globalization;
using System.Text;

namespace LoggingService.PythonRegex;

/// <summary>
/// What one place of a Python pattern may match: a set of code points, of which .NET, whose sets hold UTF-16 units,
/// knows only the first 65,536.
/// </summary>
internal sealed class PythonSet
{
    private const int LastCodePoint = 0x10FFFF;

    private static readonly PythonSet AsciiDigits = new([('0', '9')]);
    private static readonly PythonSet AsciiWords = new([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]);
    private static readonly PythonSet AsciiSpaces = new([('\t', '\r'), (' ', ' ')]);

    private static readonly Lazy<PythonSet> UnicodeDigits = new(() => OfCategories(c => c is UnicodeCategory.DecimalDigitNumber));

    // `str.isalnum` or the underscore: without combining marks, but with ² and Ⅷ.
    private static readonly Lazy<PythonSet> UnicodeWords = new(() => AsciiWords.Or(OfCategories(
        c => c is <= UnicodeCategory.OtherLetter
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber)));

    // `str.isspace`: with the four separators U+001C to U+001F.
    private static readonly Lazy<PythonSet> UnicodeSpaces = new(() => new PythonSet([('\t', '\r'), ('\x1C', '\x1F'), ('\x85', '\x85')])
        .Or(OfCategories(c => c is UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)));

    private static readonly Lazy<int[][]> Cases = new(() =>
        [.. Enumerable.Range(0, LastCodePoint + 1).GroupBy(WithoutCase).Select(same => same.ToArray()).Where(same => same.Length > 1)]);

    private static readonly int[][] AsciiCases = [.. Enumerable.Range('a', 26).Select(lower => new[] { lower - 'a' + 'A', lower })];

    private readonly List<(int First, int Last)> _ranges = [];

    private PythonSet(IEnumerable<(int First, int Last)> ranges)
    {
        foreach (var range in ranges.Order())
        {
            if (_ranges.Count > 0 && range.First <= _ranges[^1].Last + 1)
            {
                _ranges[^1] = (_ranges[^1].First, Math.Max(range.Last, _ranges[^1].Last));
            }
            else
            {
                _ranges.Add(range);
            }
        }
    }

    /// <summary>No code point at all.</summary>
    public static PythonSet None { get; } = new([]);

    /// <summary>From one code point to another, both included.</summary>
    public static PythonSet Range(int first, int last) => new([(first, last)]);

    /// <summary><c>\d</c>: the decimal digits of all scripts.</summary>
    /// <param name="ascii">Whether the flag <c>a</c> is set.</param>
    public static PythonSet Digits(bool ascii) => ascii ? AsciiDigits : UnicodeDigits.Value;

    /// <summary><c>\w</c>: letters, numbers and the underscore.</summary>
    /// <param name="ascii">Whether the flag <c>a</c> is set.</param>
    public static PythonSet Words(bool ascii) => ascii ? AsciiWords : UnicodeWords.Value;

    /// <summary><c>\s</c>: white space.</summary>
    /// <param name="ascii">Whether the flag <c>a</c> is set.</param>
    public static PythonSet Spaces(bool ascii) => ascii ? AsciiSpaces : UnicodeSpaces.Value;

    /// <summary>The code points of either set.</summary>
    public PythonSet Or(PythonSet other) => new(_ranges.Concat(other._ranges));

    /// <summary>All other code points.</summary>
    public PythonSet Not()
    {
        var gaps = new List<(int, int)>();
        var next = 0;
        foreach (var (first, last) in _ranges)
        {
            if (first > next)
            {
                gaps.Add((next, first - 1));
            }

            next = last + 1;
        }

        if (next <= LastCodePoint)
        {
            gaps.Add((next, LastCodePoint));
        }

        return new(gaps);
    }

    /// <summary>With what differs from its code points in case only, as the flag <c>i</c> has it.</summary>
    /// <param name="ascii">Whether the flag <c>a</c> is set, too, which leaves 26 letters that have a case.</param>
    public PythonSet InBothCases(bool ascii) =>
        Or(new((ascii ? AsciiCases : Cases.Value).Where(same => same.Any(Contains)).SelectMany(same => same, (_, c) => (c, c))));

    /// <summary>An expression for .NET that can be repeated as it is and matches one code point.</summary>
    public string ToRegex()
    {
        var choices = new List<string>();
        // Halves of a pair are left out: they would let one character pass for two.
        var basic = Class(Within(0, 0xD7FF).Concat(Within(0xE000, 0xFFFF)));
        if (basic.Length > 0)
        {
            choices.Add(basic);
        }

        for (int high = 0xD800, end; high < 0xDC00; high = end)
        {
            var low = LowSurrogates(high);
            for (end = high + 1; end < 0xDC00 && LowSurrogates(end) == low; end++)
            {
            }

            if (low.Length > 0)
            {
                choices.Add(Class([(high, end - 1)]) + low);
            }
        }

        return choices switch
        {
            [] => @"[^\0-\uFFFF]",
            [var only] when only == basic => only,
            _ => $"(?:{string.Join('|', choices)})",
        };
    }

    private bool Contains(int codePoint) => _ranges.Exists(range => range.First <= codePoint && codePoint <= range.Last);

    private IEnumerable<(int First, int Last)> Within(int first, int last) =>
        _ranges.Where(range => range.First <= last && range.Last >= first)
            .Select(range => (Math.Max(range.First, first), Math.Min(range.Last, last)));

    private string LowSurrogates(int high)
    {
        var block = 0x10000 + ((high - 0xD800) * 0x400);
        return Class(Within(block, block + 0x3FF).Select(range => (range.First - block + 0xDC00, range.Last - block + 0xDC00)));
    }

    private static string Class(IEnumerable<(int First, int Last)> units)
    {
        var text = new StringBuilder();
        foreach (var (first, last) in units)
        {
            text.Append(first == last ? $@"\u{first:X4}" : $@"\u{first:X4}-\u{last:X4}");
        }

        return text.Length > 0 ? $"[{text}]" : "";
    }

    private static PythonSet OfCategories(Func<UnicodeCategory, bool> belongs) =>
        new(Enumerable.Range(0, LastCodePoint + 1).Where(c => belongs(CharUnicodeInfo.GetUnicodeCategory(c))).Select(c => (c, c)));

    /// <summary>The same for any two code points that Python takes for one letter: those with the same upper case of their lower case.</summary>
    private static int WithoutCase(int codePoint) => codePoint switch
    {
        // İ, ı and ſ, which .NET's invariant mapping leaves alone; of the other three only the mapping to several letters is the same.
        '\u0130' or '\u0131' => 'I',
        '\u017F' => 'S',
        '\u1FD3' => '\u0390',
        '\u1FE3' => '\u03B0',
        '\uFB06' => '\uFB05',
        _ => Rune.TryCreate(codePoint, out var rune) ? Rune.ToUpperInvariant(Rune.ToLowerInvariant(rune)).Value : codePoint,
    };
}
