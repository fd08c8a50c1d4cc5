using Microsoft.Data.Sqlite;

namespace LoggingService.Search;

/// <summary>
/// Finds the words of a query in a text, as the index finds them: an index in memory of the one text marks them. For one thread.
/// </summary>
internal sealed class Highlighter : IDisposable
{
    private const char Start = '\u0001';
    private const char End = '\u0002';
    private readonly SqliteConnection _connection = new("Data Source=:memory:;Pooling=False");
    private readonly Statement? _delete;
    private readonly Statement? _insert;
    private readonly Statement? _find;
    private readonly Statement? _match;

    public Highlighter(SearchQuery query)
    {
        if (query.AnyExpression is { } expression)
        {
            _connection.Open();
            Statement.Run(_connection, $"CREATE VIRTUAL TABLE one USING fts5(text, {SearchDatabase.Tokenizer})");
            _delete = new(_connection, "DELETE FROM one");
            _insert = new(_connection, "INSERT INTO one(text) VALUES(?1)");
            _find = new(_connection, "SELECT highlight(one, 0, char(1), char(2)) FROM one WHERE one MATCH ?1");
            _find.Bind(1, expression);
            _match = new(_connection, "SELECT 1 FROM one WHERE one MATCH ?1");
            _match.Bind(1, query.Expression!);
        }
    }

    /// <summary>The ranges of a text to highlight, in their order; they don't overlap.</summary>
    public IReadOnlyList<Range> Find(string text)
    {
        if (_find is null || text.Length == 0)
        {
            return [];
        }

        var source = new List<int>(text.Length);
        Set(SpacedText.WithSource(text, source));
        var marked = _find.Step() ? _find.Text(0) : "";
        _find.Reset();
        return ToRanges(marked, source);
    }

    /// <summary>Whether a search with the words of the query finds a text.</summary>
    public bool Matches(string text)
    {
        if (_match is null)
        {
            return true;
        }

        Set(SpacedText.Of(text));
        return _match.Value() is not null;
    }

    public void Dispose()
    {
        _match?.Dispose();
        _delete?.Dispose();
        _insert?.Dispose();
        _find?.Dispose();
        _connection.Dispose();
    }

    private void Set(string text)
    {
        _delete!.Run();
        _insert!.Bind(1, text).Run();
    }

    private static List<Range> ToRanges(string marked, List<int> source)
    {
        var ranges = new List<Range>();
        var (index, start, end) = (0, -1, -1);
        var isMarked = false;
        foreach (var c in marked)
        {
            if (c is Start or End)
            {
                isMarked = c == Start;
                continue;
            }

            // Pairs overlap, so that the source of a character may come again.
            var position = source[index++];
            if (!isMarked || position < 0 || position < end)
            {
                continue;
            }

            if (position > end || start < 0)
            {
                Add(ranges, start, end);
                start = position;
            }

            end = position + 1;
        }

        Add(ranges, start, end);
        return ranges;
    }

    private static void Add(List<Range> ranges, int start, int end)
    {
        if (start >= 0)
        {
            ranges.Add(start..end);
        }
    }
}
