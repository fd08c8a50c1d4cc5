using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Transactions made from what a real Synapse sent: events that are damaged in a random way, between good ones, which are
/// as they were recorded but for new ids. The same seed makes the same bodies.
/// </summary>
internal sealed class MutatedTraffic(int seed)
{
    private static readonly byte[][] Recorded = [.. Events()];
    private static readonly string[] Wrong =
    [
        "null", "true", "[]", "{}", "\"\"", "0", "-1", "1e400", "-0.0", "9223372036854775808", "123456789012345678901234567890.5e-999", "[[],{}]", "{\"\":{\"\":0}}",
        "\"\\ud800\"", "\"\\udc00\\ud800x\"", "\"\\u0000\\u001b[2J\\r\\n*** @alice:localhost\"", "\"\u202Eevil\u2066\u061C\u2028\u2029\u200F\uFEFF\"", "\"\u0085\u009B31m\u007F\"",
        "\"!\"", "\"!../../x:y\"", "\"$good1\"", "\"@alice:localhost> hello\"", "\"m.room.message\"", "\"m.room.member\"", "\"m.room.redaction\"", "\"m.reaction\"", "\"m.poll.start\"", "\"\\\\\\\"\\/\\b\\f\"",
    ];

    private static readonly byte[][] Nasty = [[0], [0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], "\""u8.ToArray(), "\\"u8.ToArray(), "]}"u8.ToArray(), ","u8.ToArray(), "\\ud83d"u8.ToArray(), "\r\n"u8.ToArray(), "{\"a\":"u8.ToArray()];
    private readonly Random _random = new(seed);
    private int _made;

    /// <summary>An event that must be logged if its body is acknowledged.</summary>
    public sealed record Good(string Room, string Id, byte[] Json);

    /// <summary>A body, with the good events that were put into it.</summary>
    public sealed record Body(byte[] Bytes, IReadOnlyList<Good> Good);

    /// <summary>The next body.</summary>
    public Body Next()
    {
        var good = new List<Good>();
        var events = new List<byte[]>();
        for (var i = _random.Next(1, 5); i > 0; i--)
            events.Add(_random.Next(3) == 0 ? Add(good) : Mutated());
        events.Add(Add(good));
        var end = _random.Next(30) switch { 0 => "],\"events\":7e1}", 1 => "],\"ephemeral\":[{}],\"x\":[[\"\\ud800\"]]}", 2 => " \r\n]\t}\n", _ => "]}" };
        byte[] body = [.. "{\"events\":["u8, .. Joined(events), .. Encoding.ASCII.GetBytes(end)];

        // Now and then the whole is damaged, good events and all.
        return new(_random.Next(10) == 0 ? Bytewise(body) : body, good);
    }

    private byte[] Add(List<Good> good)
    {
        // Ids so far apart that no damage makes one of another.
        var (room, id) = ($"!good{_random.Next(20)}:localhost", $"$good{Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes($"{seed}.{++_made}")))}");
        good.Add(new(room, id, Renamed(Pick(Recorded), room, id)));
        return good[^1].Json;
    }

    private byte[] Mutated()
    {
        var e = Renamed(Pick(Recorded), $"!good{_random.Next(20)}:localhost", $"$bad{seed}.{++_made}");
        for (var i = _random.Next(1, 4); i > 0; i--)
            e = _random.Next(4) == 0 ? Bytewise(e) : Jsonwise(e);
        return e;
    }

    private byte[] Bytewise(byte[] bytes)
    {
        var at = _random.Next(bytes.Length + 1);
        var length = Math.Min(bytes.Length - at, _random.Next(1, 40));
        var slice = bytes.AsSpan(at, length).ToArray();
        switch (_random.Next(5))
        {
            case 0 when length > 0:
                byte[] flipped = [.. bytes];
                flipped[at] ^= (byte)(1 << _random.Next(8));
                return flipped;
            case 1: return [.. bytes[..at], .. bytes[(at + length)..]];
            case 2: return [.. bytes[..at], .. Pick(Nasty), .. bytes[at..]];
            case 3: return [.. bytes[..at], .. slice, .. slice, .. bytes[(at + length)..]];
            default: return _random.Next(20) == 0 ? bytes[..at] : bytes;
        }
    }

    /// <summary>One value replaced, one key doubled, gone or called otherwise; what is no JSON any more stays as it is.</summary>
    private byte[] Jsonwise(byte[] json)
    {
        var tokens = new List<(JsonTokenType Type, int Start, int End)>();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = int.MaxValue });
        try
        {
            while (reader.Read())
            {
                var (type, start) = (reader.TokenType, (int)reader.TokenStartIndex);
                var whole = reader;
                if (type is JsonTokenType.StartArray or JsonTokenType.StartObject)
                    whole.Skip();
                if (type is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
                    tokens.Add((type, start, (int)whole.BytesConsumed));
            }
        }
        catch (JsonException)
        {
            return json;
        }

        var (picked, from, to) = tokens[_random.Next(tokens.Count)];
        if (picked != JsonTokenType.PropertyName)
            return [.. json[..from], .. Anything(json, tokens), .. json[to..]];

        // The token of a name ends with its colon, and its value's is the next one.
        var end = tokens.First(token => token.Start >= to).End;
        var member = json.AsSpan(from, end - from).ToArray();
        return _random.Next(4) switch
        {
            0 => [.. json[..from], .. member, .. ","u8, .. json[from..]],
            1 => [.. json[..from], .. "\"x\":0"u8, .. json[end..]],
            2 => [.. json[..from], .. json[from..to], .. Anything(json, tokens), .. ","u8, .. json[from..]],
            _ => [.. json[..from], .. "\"\\ud800\\u0065\":"u8, .. json[to..]],
        };
    }

    private byte[] Anything(byte[] json, List<(JsonTokenType Type, int Start, int End)> tokens)
    {
        switch (_random.Next(8))
        {
            case 0:
                var depth = _random.Next(1, 2000);
                return Encoding.ASCII.GetBytes(new string('[', depth) + new string(']', depth));
            case 1:
                return Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 300)) + "1" + new string('}', 300));
            case 2:
                // Another value of the same event: swapped ids, a sender for a room.
                var (type, start, end) = tokens[_random.Next(tokens.Count)];
                return type == JsonTokenType.PropertyName ? "\"m.x\""u8.ToArray() : json[start..end];
            case 3:
                return Encoding.UTF8.GetBytes($"\"{new string((char)_random.Next(0xA0, 0xD800), _random.Next(1, 3000))}\"");
            case 4:
                return [.. "\""u8, .. Pick(Nasty), .. "\""u8];
            default:
                return Encoding.UTF8.GetBytes(Pick(Wrong));
        }
    }

    private T Pick<T>(T[] some) => some[_random.Next(some.Length)];

    private static IEnumerable<byte> Joined(List<byte[]> events) => events.SelectMany((e, i) => i == 0 ? e : e.Prepend((byte)','));

    private static byte[] Renamed(byte[] json, string room, string id)
    {
        Assert.True(RawJson.TryParse(json, out var e, out _));
        var text = Encoding.UTF8.GetString(json);
        text = text.Replace($"\"event_id\":{Encoding.UTF8.GetString(e["event_id"u8].Bytes.Span)}", $"\"event_id\":\"{id}\"", StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(text.Replace($"\"room_id\":{Encoding.UTF8.GetString(e["room_id"u8].Bytes.Span)}", $"\"room_id\":\"{room}\"", StringComparison.Ordinal));
    }

    private static IEnumerable<byte[]> Events()
    {
        foreach (var recording in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Traffic"), "*.jsonl").Order(StringComparer.Ordinal))
        {
            foreach (var request in RecordedTraffic.Read(Path.GetFileNameWithoutExtension(recording)).Where(request => request.Method == "PUT"))
            {
                Assert.True(RawJson.TryParse(Encoding.UTF8.GetBytes(request.Body), out var body, out _));
                foreach (var e in body["events"u8].Items())
                    yield return e.Bytes.ToArray();
            }
        }
    }
}
