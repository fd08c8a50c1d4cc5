using System.Globalization;

namespace LoggingService.PythonRegex;

/// <summary>The escapes of Python's patterns that stand for one character, or for one of a set.</summary>
internal static class PythonEscape
{
    /// <summary>The set that <c>\d</c>, <c>\s</c>, <c>\w</c> or one of their opposites stands for; <c>null</c> for any other escape.</summary>
    /// <param name="letter">What follows the backslash.</param>
    /// <param name="ascii">Whether the flag <c>a</c> is set.</param>
    public static PythonSet? Category(char letter, bool ascii) => letter switch
    {
        'd' => PythonSet.Digits(ascii),
        'D' => PythonSet.Digits(ascii).Not(),
        's' => PythonSet.Spaces(ascii),
        'S' => PythonSet.Spaces(ascii).Not(),
        'w' => PythonSet.Words(ascii),
        'W' => PythonSet.Words(ascii).Not(),
        _ => null,
    };

    /// <summary>The code point of an escape of which the backslash and one character are taken; takes the rest.</summary>
    /// <param name="source">The pattern.</param>
    /// <param name="escape">The backslash and the character.</param>
    /// <exception cref="FormatException">It is none that Python knows, or a name.</exception>
    public static int CodePoint(PythonSource source, string escape)
    {
        var start = source.Position - 2;
        return escape[1] switch
        {
            'a' => '\a',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\v',
            'x' => Hexadecimal(source, start, 2),
            'u' => Hexadecimal(source, start, 4),
            'U' => Hexadecimal(source, start, 8),
            'N' => throw PythonSource.Untranslatable(start, @"a character by its name (write \u and its number)"),
            >= '0' and <= '7' => Octal(source, start),
            var letter when char.IsAsciiLetterOrDigit(letter) => throw PythonSource.Refused(start, $"bad escape {escape}"),
            _ => CodePoint(escape[1..]),
        };
    }

    /// <summary>The code point of one character; of half a pair, the half's own.</summary>
    public static int CodePoint(string character) =>
        character.Length == 2 ? char.ConvertToUtf32(character[0], character[1]) : character[0];

    private static int Hexadecimal(PythonSource source, int start, int digits)
    {
        var number = source.TakeWhile(char.IsAsciiHexDigit, digits);
        if (number.Length < digits)
        {
            throw PythonSource.Refused(start, $"incomplete escape {source.Since(start)}");
        }

        var codePoint = uint.Parse(number, NumberStyles.HexNumber);
        return codePoint <= 0x10FFFF ? (int)codePoint : throw PythonSource.Refused(start, $"bad escape {source.Since(start)}");
    }

    private static int Octal(PythonSource source, int start)
    {
        source.TakeWhile(c => c is >= '0' and <= '7', 2);
        var escape = source.Since(start);
        var codePoint = Convert.ToInt32(escape[1..], 8);
        return codePoint <= 0xFF
            ? codePoint
            : throw PythonSource.Refused(start, $"octal escape value {escape} outside of range 0-0o377");
    }
}
