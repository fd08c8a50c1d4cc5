using System.Globalization;

namespace LoggingService.Search;

/// <summary>
/// Reads what a person types: words, <c>"phrases"</c>, <c>prefix*</c>, <c>from:</c>, <c>in:</c>, <c>before:</c>, <c>after:</c> and
/// <c>has:link|image|file</c>. Every input is a query; a word with a colon that is none of these is a word.
/// </summary>
internal sealed class SearchQueryParser
{
    public const int MaxLength = 500;
    public const int MaxTerms = 20;

    /// <summary>Among the ignored parts if the query was cut.</summary>
    public const string Cut = "…";

    /// <summary>The start of a shorter word is in most events.</summary>
    private const int MinPrefix = 2;

    private readonly string _input;
    private readonly List<SearchTerm> _terms = [];
    private readonly List<string> _from = [];
    private readonly List<string> _in = [];
    private readonly List<string> _ignored = [];
    private HitKinds _kinds;
    private DateOnly? _before;
    private DateOnly? _after;
    private int _position;

    private SearchQueryParser(string input) => _input = input.Length <= MaxLength ? input : input[..MaxLength];

    public static SearchQuery Parse(string input) => new SearchQueryParser(input).Read();

    private SearchQuery Read()
    {
        if (_input.Length == MaxLength)
        {
            _ignored.Add(Cut);
        }

        while (SkipSpace())
        {
            var start = _position;
            var name = ReadName();
            if (name is not null)
            {
                var (value, _) = ReadValue();
                if (value.Length == 0 || !Apply(name, value))
                {
                    _ignored.Add(_input[start.._position]);
                }
            }
            else
            {
                AddTerm(_input[start] == '"', start);
            }
        }

        return new(_terms, _from, _in, _kinds, _before, _after, _ignored);
    }

    private bool SkipSpace()
    {
        while (_position < _input.Length && char.IsWhiteSpace(_input[_position]))
        {
            _position++;
        }

        return _position < _input.Length;
    }

    /// <summary>The name of a filter, in lower case, behind whose colon the position is then; otherwise <c>null</c>.</summary>
    private string? ReadName()
    {
        foreach (var name in (string[])["from", "in", "before", "after", "has"])
        {
            if (string.Compare(_input, _position, name, 0, name.Length, StringComparison.OrdinalIgnoreCase) == 0
                && _position + name.Length < _input.Length
                && _input[_position + name.Length] == ':')
            {
                _position += name.Length + 1;
                return name;
            }
        }

        return null;
    }

    /// <summary>Text up to the next space, or between quotes, which may lack the last one.</summary>
    private (string Value, bool IsPrefix) ReadValue()
    {
        var start = _position;
        if (_position < _input.Length && _input[_position] == '"')
        {
            var end = _input.IndexOf('"', start + 1);
            _position = end < 0 ? _input.Length : end + 1;
            var quoted = _input[(start + 1)..(end < 0 ? _input.Length : end)];
            var isPrefix = _position < _input.Length && _input[_position] == '*';
            _position += isPrefix ? 1 : 0;
            return (quoted, isPrefix);
        }

        while (_position < _input.Length && !char.IsWhiteSpace(_input[_position]))
        {
            _position++;
        }

        var value = _input[start.._position];
        return value.Length > 1 && value[^1] == '*' ? (value[..^1], true) : (value, false);
    }

    private void AddTerm(bool isQuoted, int start)
    {
        var (value, isPrefix) = ReadValue();
        var isTooShort = isPrefix && value.Length < MinPrefix && !SpacedText.EndsWithOneOfPairs(value);
        if (!SpacedText.HasWord(value) || isTooShort || _terms.Count == MaxTerms)
        {
            if (isQuoted || value.Length > 0)
            {
                _ignored.Add(_input[start.._position]);
            }

            return;
        }

        _terms.Add(new(value, isPrefix));
    }

    private bool Apply(string name, string value)
    {
        switch (name)
        {
            case "from":
                _from.Add(value);
                return true;
            case "in":
                _in.Add(value);
                return true;
            case "has":
                var kind = value.ToLowerInvariant() switch
                {
                    "link" or "links" => HitKinds.Link,
                    "image" or "images" => HitKinds.Image,
                    "file" or "files" => HitKinds.File,
                    _ => HitKinds.None,
                };
                _kinds |= kind;
                return kind != HitKinds.None;
            case "before" when ReadDay(value) is (var first, _):
                _before = _before < first ? _before : first;
                return true;
            case "after" when ReadDay(value) is (_, var behind):
                _after = _after > behind ? _after : behind;
                return true;
            default:
                return false;
        }
    }

    /// <summary>A day, a month or a year: its first day, and the first one behind it.</summary>
    private static (DateOnly First, DateOnly Behind)? ReadDay(string text)
    {
        if (DateOnly.TryParseExact(text, ["yyyy-M-d", "yyyyMMdd"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            return day == DateOnly.MaxValue ? null : (day, day.AddDays(1));
        }

        if (DateOnly.TryParseExact(text, "yyyy-M", CultureInfo.InvariantCulture, DateTimeStyles.None, out day))
        {
            return day.Year == DateOnly.MaxValue.Year ? null : (day, day.AddMonths(1));
        }

        return DateOnly.TryParseExact(text, "yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out day)
            && day.Year < DateOnly.MaxValue.Year
            ? (day, day.AddYears(1))
            : null;
    }
}
