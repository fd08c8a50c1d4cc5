namespace LoggingService.PythonRegex;

/// <summary>The flags of Python's patterns that may stand in a pattern.</summary>
[Flags]
internal enum PythonFlags
{
    /// <summary>None of them.</summary>
    None = 0,

    /// <summary><c>a</c>: letters, digits and white space are those of ASCII.</summary>
    Ascii = 1,

    /// <summary><c>i</c>: case is disregarded.</summary>
    IgnoreCase = 2,

    /// <summary><c>m</c>: <c>^</c> and <c>$</c> match at each line.</summary>
    Multiline = 4,

    /// <summary><c>s</c>: the dot matches a line break, too.</summary>
    DotAll = 8,

    /// <summary><c>x</c>: white space and comments are no part of the pattern.</summary>
    Verbose = 16,

    /// <summary><c>u</c>: the opposite of <see cref="Ascii"/>, which is how it is without either.</summary>
    Unicode = 32,
}

/// <summary>Reads flags where they stand in a pattern: <c>(?ims)</c>, <c>(?i-s:…)</c>.</summary>
internal static class PythonFlagSyntax
{
    private const PythonFlags Alphabets = PythonFlags.Ascii | PythonFlags.Unicode;

    /// <summary>Takes flags and the colon or parenthesis that ends them.</summary>
    /// <param name="source">The pattern.</param>
    /// <param name="sign">The first flag, or the minus, which is taken already.</param>
    /// <param name="outside">The flags that are set around them.</param>
    /// <param name="isForAll">Whether they are for the whole pattern, not for a group that begins here.</param>
    /// <returns>The flags that are set from here on, or in the group.</returns>
    /// <exception cref="FormatException">They are none that Python knows, or they contradict each other.</exception>
    public static PythonFlags Read(PythonSource source, string sign, PythonFlags outside, out bool isForAll)
    {
        var (set, unset) = (PythonFlags.None, PythonFlags.None);
        string? next = sign;
        for (; next is not (null or "-" or ":" or ")"); next = source.Take())
        {
            set |= Flag(source, next, "missing -, : or )");
            if (set.HasFlag(Alphabets))
            {
                throw Refused(source, "flags 'a', 'u' and 'L' are incompatible");
            }
        }

        isForAll = next == ")";
        if (next == "-")
        {
            for (next = source.Take(); next is not (null or ":"); next = source.Take())
            {
                unset |= Flag(source, next, unset == PythonFlags.None ? "missing flag" : "missing :");
            }

            if (unset == PythonFlags.None)
            {
                throw PythonSource.Refused(source.Position - (next is null ? 0 : 1), "missing flag");
            }
        }

        if (next is null)
        {
            throw PythonSource.Refused(source.Position, "missing -, : or )");
        }

        if ((unset & Alphabets) != 0)
        {
            throw Refused(source, "cannot turn off flags 'a', 'u' and 'L'");
        }

        if ((set & unset) != 0)
        {
            throw Refused(source, "flag turned on and off");
        }

        if (isForAll && (outside | set).HasFlag(Alphabets))
        {
            throw PythonSource.Refused(source.Position, "ASCII and UNICODE flags are incompatible");
        }

        // Only within a group does one alphabet replace the other.
        return (!isForAll && (set & Alphabets) != 0 ? outside & ~Alphabets : outside) & ~unset | set;
    }

    private static PythonFlags Flag(PythonSource source, string letter, string missing) => letter switch
    {
        "a" => PythonFlags.Ascii,
        "i" => PythonFlags.IgnoreCase,
        "m" => PythonFlags.Multiline,
        "s" => PythonFlags.DotAll,
        "u" => PythonFlags.Unicode,
        "x" => PythonFlags.Verbose,
        "L" => throw Refused(source, "cannot use 'L' flag with a str pattern"),
        _ => throw PythonSource.Refused(source.Position - letter.Length, char.IsLetter(letter, 0) ? "unknown flag" : missing),
    };

    private static FormatException Refused(PythonSource source, string why) =>
        PythonSource.Refused(source.Position, $"bad inline flags: {why}");
}
