using System.Text.Json;

namespace LoggingService.Erasure;

/// <summary>Ids of events, and whether JSON has one of them as a string.</summary>
internal sealed class MentionedIds
{
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };
    private readonly HashSet<Utf8Text> _ids = [];

    public void Add(string id) => _ids.Add(Utf8Text.From(id));

    public bool IsIn(ReadOnlyMemory<byte> json)
    {
        if (_ids.Count == 0)
        {
            return false;
        }

        for (var start = 0; ;)
        {
            var found = json.Span[start..].IndexOf("\"$"u8);
            if (found < 0)
            {
                break;
            }

            start += found + 1;
            var length = json.Span[start..].IndexOf((byte)'"');
            if (length < 0)
            {
                break;
            }

            if (_ids.Contains(new(json.Slice(start, length))))
            {
                return true;
            }
        }

        return json.Span.Contains((byte)'\\') && IsEscapedIn(json.Span);
    }

    /// <summary>An id may be written with escape sequences.</summary>
    private bool IsEscapedIn(ReadOnlySpan<byte> json)
    {
        if (json.IndexOf("\\u"u8) < 0 && json.IndexOf("\\/"u8) < 0)
        {
            return false;
        }

        var reader = new Utf8JsonReader(json, isFinalBlock: true, new JsonReaderState(AnyDepth));
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.String
                    && reader.ValueIsEscaped
                    && _ids.Contains(Utf8Text.From(JsonString.Decode(reader.ValueSpan))))
                {
                    return true;
                }
            }
        }
        catch (JsonException)
        {
            // A line that is no event.
        }

        return false;
    }
}
