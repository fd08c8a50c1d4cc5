namespace LoggingService.PythonRegex;

/// <content>What stands in parentheses.</content>
internal sealed partial class PythonSyntax
{
    /// <summary>What begins with a parenthesis; <c>null</c> where it is no item, but a comment or flags for the whole pattern.</summary>
    private PythonWidth? Group(ref PythonFlags flags, int start, bool isStart)
    {
        if (!_source.TryTake("?"))
        {
            return Capture(_groups.Open(), flags, start);
        }

        var kind = _source.Take();
        switch (kind)
        {
            case "P" when _source.TryTake("<"):
                var nameStart = _source.Position;
                return Capture(_groups.Open(_source.TakeName(">"), nameStart), flags, start);
            case "P" when _source.TryTake("="):
                nameStart = _source.Position;
                return Reference(_groups.Named(_source.TakeName(")"), nameStart), start, flags);
            case ":" or ">":
                return Body($"(?{kind}", flags, start);
            case "=" or "!":
                Body($"(?{kind}", flags, start);
                return default(PythonWidth);
            case "<" when _source.TryTake("="):
                return LookBehind("(?<=", flags, start);
            case "<" when _source.TryTake("!"):
                return LookBehind("(?<!", flags, start);
            case "(":
                return Condition(flags, start);
            case "#":
                SkipComment(start);
                return null;
            case null or "P" or "<":
                throw _source.Take() is { } unknown
                    ? PythonSource.Refused(start + 1, $"unknown extension ?{kind}{unknown}")
                    : PythonSource.Refused(_source.Position, "unexpected end of pattern");
            case "-" or "a" or "i" or "L" or "m" or "s" or "u" or "x":
                var inside = PythonFlagSyntax.Read(_source, kind, flags, out var isForAll);
                if (!isForAll)
                {
                    return Body("(?:", inside, start);
                }

                flags = isStart ? inside : throw PythonSource.Refused(start, "global flags not at the start of the expression");
                return null;
            default:
                throw PythonSource.Refused(start + 1, $"unknown extension ?{kind}");
        }
    }

    private PythonWidth Capture(int group, PythonFlags flags, int start)
    {
        var width = Body($"(?<{group}>", flags, start);
        _groups.Close(group, width);
        return width;
    }

    private PythonWidth Body(string opening, PythonFlags flags, int start)
    {
        _translated.Append(opening);
        var width = Alternatives(flags);
        Close(start);
        return width;
    }

    private void Close(int start)
    {
        if (!_source.TryTake(")"))
        {
            throw PythonSource.Refused(start, "missing ), unterminated subpattern");
        }

        _translated.Append(')');
    }

    private PythonWidth LookBehind(string opening, PythonFlags flags, int start)
    {
        var isOuter = _groups.EnterLookBehind();
        var width = Body(opening, flags, start);
        if (isOuter)
        {
            _groups.LeaveLookBehind();
        }

        return width.IsFixed ? default : throw PythonSource.Refused(start, "look-behind requires fixed-width pattern");
    }

    private PythonWidth Condition(PythonFlags flags, int start)
    {
        var nameStart = _source.Position;
        var group = _groups.Condition(_source.TakeName(")"), nameStart);
        _translated.Append($"(?({group})");
        var width = Sequence(ref flags, isStart: false);
        if (_source.TryTake("|"))
        {
            _translated.Append('|');
            width = width.Or(Sequence(ref flags, isStart: false));
            if (_source.Next == "|")
            {
                throw PythonSource.Refused(_source.Position, "conditional backref with more than two branches");
            }
        }
        else
        {
            width = width.Or(default);
        }

        Close(start);
        return width;
    }

    private void SkipComment(int start)
    {
        string? next;
        do
        {
            next = _source.Take() ?? throw PythonSource.Refused(start, "missing ), unterminated comment");
        }
        while (next != ")");
    }
}
