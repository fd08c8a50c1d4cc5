using System.Text;

namespace LoggingService.PythonRegex;

/// <summary>A Python pattern that is read from its start: a character, or a backslash and a character, at a time.</summary>
internal sealed class PythonSource
{
    private readonly List<string> _characters = [];

    /// <summary>Begins at the start of a pattern.</summary>
    public PythonSource(string pattern)
    {
        for (var i = 0; i < pattern.Length; i += _characters[^1].Length)
            _characters.Add(pattern.Substring(i, i + 1 < pattern.Length && char.IsSurrogatePair(pattern, i) ? 2 : 1));
    }

    /// <summary>The number of characters, as Python counts them, that were taken.</summary>
    public int Position { get; private set; }

    /// <summary>What is taken next; <c>null</c> at the end.</summary>
    /// <exception cref="FormatException">It is a backslash, and the last character.</exception>
    public string? Next
    {
        get
        {
            if (Position == _characters.Count)
            {
                return null;
            }

            if (_characters[Position] != @"\")
            {
                return _characters[Position];
            }

            return Position + 1 < _characters.Count
                ? @"\" + _characters[Position + 1]
                : throw Refused(Position, "bad escape (end of pattern)");
        }
    }

    /// <summary>Takes what is next, and returns it.</summary>
    public string? Take()
    {
        var taken = Next;
        Position += taken is null ? 0 : taken[0] == '\\' ? 2 : 1;
        return taken;
    }

    /// <summary>Takes what is next if it is this.</summary>
    public bool TryTake(string wanted)
    {
        var isIt = Next == wanted;
        if (isIt)
        {
            Take();
        }

        return isIt;
    }

    /// <summary>Takes as many of these characters as follow each other, and no more than so many.</summary>
    public string TakeWhile(Func<char, bool> wanted, int most = int.MaxValue)
    {
        var taken = new StringBuilder();
        while (taken.Length < most && Next is [var character] && wanted(character))
        {
            taken.Append(character);
            Take();
        }

        return taken.ToString();
    }

    /// <summary>Takes a name and the character that ends it.</summary>
    /// <param name="end">What ends it, and is no part of what is returned.</param>
    /// <exception cref="FormatException">It is empty or has no end.</exception>
    public string TakeName(string end)
    {
        var start = Position;
        var name = new StringBuilder();
        while (Next is { } next && next != end)
        {
            name.Append(Take());
        }

        if (name.Length == 0)
        {
            throw Refused(start, "missing group name");
        }

        return TryTake(end) ? name.ToString() : throw Refused(start, $"missing {end}, unterminated name");
    }

    /// <summary>Goes back to a place where it was before.</summary>
    public void GoBackTo(int position) => Position = position;

    /// <summary>The pattern from a place up to where this is.</summary>
    public string Since(int start) => string.Concat(_characters[start..Position]);

    /// <summary>For what Python refuses, in its words.</summary>
    public static FormatException Refused(int position, string why) => Failure($"Synapse will refuse it: {why}", position);

    /// <summary>For what means something to Python that .NET cannot express.</summary>
    public static FormatException Untranslatable(int position, string why) =>
        Failure($"can't be given the same meaning here: {why}", position);

    private static FormatException Failure(string why, int position) => new($"{why} at position {position}".ReplaceLineEndings(" "));
}
