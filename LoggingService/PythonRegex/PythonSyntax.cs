using System.Globalization;
using System.Text;

namespace LoggingService.PythonRegex;

/// <summary>
/// The grammar of Python's patterns (<see href="https://docs.python.org/3/library/re.html#regular-expression-syntax"/>),
/// read as <c>re/_parser.py</c> reads it. Little of the text is taken over: groups go by their numbers, flags are worked
/// into what they change, and each character or set becomes a set of code points, so that what the two languages
/// read differently never reaches .NET.
/// </summary>
internal sealed partial class PythonSyntax
{
    private const int DeepestNesting = 100;

    private readonly PythonSource _source;
    private readonly PythonGroups _groups = new();
    private readonly StringBuilder _translated = new();
    private int _depth;

    private PythonSyntax(string python) => _source = new(python);

    /// <summary>What the last item of a sequence allows to follow it.</summary>
    private enum Last
    {
        Nothing,
        Place,
        Item,
        Repeated,
    }

    /// <summary>Translates a pattern for .NET, to be used without options and within a group.</summary>
    /// <exception cref="FormatException">Python refuses the pattern, or .NET cannot express it.</exception>
    public static string Translate(string python)
    {
        var syntax = new PythonSyntax(python);
        syntax.Alternatives(PythonFlags.None);
        if (syntax._source.Next is not null)
        {
            throw PythonSource.Refused(syntax._source.Position, "unbalanced parenthesis");
        }

        syntax._groups.CheckConditions();
        return syntax._translated.ToString();
    }

    private PythonWidth Alternatives(PythonFlags flags)
    {
        var width = Sequence(ref flags, isStart: _depth == 0);
        while (_source.TryTake("|"))
        {
            _translated.Append('|');
            width = width.Or(Sequence(ref flags, isStart: false));
        }

        return width;
    }

    private PythonWidth Sequence(ref PythonFlags flags, bool isStart)
    {
        if (_depth++ > DeepestNesting)
        {
            throw PythonSource.Untranslatable(_source.Position, $"groups more than {DeepestNesting} deep");
        }

        var (last, lastStart, width, lastWidth) = (Last.Nothing, 0, default(PythonWidth), default(PythonWidth));
        while (_source.Next is not (null or "|" or ")"))
        {
            var start = _source.Position;
            var next = _source.Take()!;
            if (flags.HasFlag(PythonFlags.Verbose) && IsSkipped(next))
            {
                continue;
            }

            if (next is "*" or "+" or "?" or "{" && Repetition(next) is (var least, var most))
            {
                if (last != Last.Item)
                {
                    throw PythonSource.Refused(start, last == Last.Repeated ? "multiple repeat" : "nothing to repeat");
                }

                if (_source.Next == "?" && lastWidth.Least == 0)
                {
                    // .NET 10 runs out of its own stack where that is part of an atomic group: (?>(?:b||c)+?a)
                    throw PythonSource.Untranslatable(start, "a lazy repetition of what may be empty");
                }

                Repeat(lastStart, least, most);
                (last, lastWidth) = (Last.Repeated, lastWidth.Times(least, most));
                continue;
            }

            var itemStart = _translated.Length;
            PythonWidth? item = next switch
            {
                "(" => Group(ref flags, start, isStart && last == Last.Nothing),
                _ when IsPlace(next) => Place(next, flags),
                "." => Set(flags.HasFlag(PythonFlags.DotAll) ? PythonSet.None.Not() : PythonSet.Range('\n', '\n').Not()),
                "[" => Set(PythonBrackets.Read(_source, flags)),
                ['\\', var letter] when PythonEscape.Category(letter, flags.HasFlag(PythonFlags.Ascii)) is { } set => Set(set),
                ['\\', >= '1' and <= '9'] => NumberOrOctal(next, start, flags),
                ['\\', ..] => Character(PythonEscape.CodePoint(_source, next), flags),
                _ => Character(PythonEscape.CodePoint(next), flags),
            };
            if (item is { } itemWidth)
            {
                width = width.Then(lastWidth);
                (last, lastStart, lastWidth) = (IsPlace(next) ? Last.Place : Last.Item, itemStart, itemWidth);
            }
        }

        _depth--;
        return width.Then(lastWidth);
    }

    private static bool IsPlace(string next) => next is "^" or "$" or @"\A" or @"\Z" or @"\b" or @"\B";

    /// <summary>Whether it is white space, or the <c>#</c> of a comment, which is taken to its end.</summary>
    private bool IsSkipped(string next)
    {
        if (next == "#")
        {
            while (_source.Take() is not (null or "\n"))
            {
            }
        }

        return next is "#" or " " or "\t" or "\n" or "\r" or "\v" or "\f";
    }

    /// <summary>How often; <c>null</c> where the brace is only a brace.</summary>
    private (uint Least, uint? Most)? Repetition(string sign)
    {
        if (sign != "{")
        {
            return sign switch { "*" => (0, null), "+" => (1, null), _ => (0, 1) };
        }

        var start = _source.Position;
        var least = _source.TakeWhile(char.IsAsciiDigit);
        var most = _source.TryTake(",") ? _source.TakeWhile(char.IsAsciiDigit) : least;
        if (_source.Position == start || !_source.TryTake("}"))
        {
            _source.GoBackTo(start);
            return null;
        }

        var (from, to) = (Count(least, start) ?? 0, Count(most, start));
        return to < from ? throw PythonSource.Refused(start, "min repeat greater than max repeat") : (from, to);
    }

    private static uint? Count(string digits, int start)
    {
        if (digits.Length == 0)
        {
            return null;
        }

        return uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= int.MaxValue
            ? count
            : throw PythonSource.Untranslatable(start, $"more than {int.MaxValue} repetitions");
    }

    private void Repeat(int itemStart, uint least, uint? most)
    {
        _translated.Append($"{{{least},{most}}}");
        if (_source.TryTake("?"))
        {
            _translated.Append('?');
        }
        else if (_source.TryTake("+"))
        {
            _translated.Insert(itemStart, "(?>").Append(')');
        }
    }

    private PythonWidth Character(int codePoint, PythonFlags flags)
    {
        var set = PythonSet.Range(codePoint, codePoint);
        return Set(flags.HasFlag(PythonFlags.IgnoreCase) ? set.InBothCases(flags.HasFlag(PythonFlags.Ascii)) : set);
    }

    private PythonWidth Set(PythonSet set)
    {
        _translated.Append(set.ToRegex());
        return new(1, 1);
    }

    private PythonWidth Place(string sign, PythonFlags flags)
    {
        // What a word is made of differs, and so where it ends.
        var word = sign is @"\b" or @"\B" ? PythonSet.Words(flags.HasFlag(PythonFlags.Ascii)).ToRegex() : "";
        var multiline = flags.HasFlag(PythonFlags.Multiline);
        _translated.Append(sign switch
        {
            "^" => multiline ? "(?m:^)" : @"\A",
            "$" => multiline ? "(?m:$)" : @"\Z",
            @"\Z" => @"\z",
            @"\b" => $"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))",
            @"\B" => $"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))",
            _ => sign,
        });
        return default;
    }

    private PythonWidth NumberOrOctal(string escape, int start, PythonFlags flags)
    {
        _source.GoBackTo(start + 1);
        if (_source.TakeWhile(c => c is >= '0' and <= '7', 3).Length == 3)
        {
            _source.GoBackTo(start + 2);
            return Character(PythonEscape.CodePoint(_source, escape), flags);
        }

        _source.GoBackTo(start + 1);
        var number = _source.TakeWhile(char.IsAsciiDigit, 2);
        return Reference(_groups.Numbered(int.Parse(number, CultureInfo.InvariantCulture), start + 1), start, flags);
    }

    private PythonWidth Reference(int group, int start, PythonFlags flags)
    {
        var width = _groups.Referred(group, start);
        if (flags.HasFlag(PythonFlags.IgnoreCase))
        {
            throw PythonSource.Untranslatable(start, "a reference to a group, without regard to case");
        }

        _translated.Append($@"\k<{group}>");
        return width;
    }
}
