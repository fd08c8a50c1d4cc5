using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LoggingService.Events;
using LoggingService.Tests.Support;

namespace LoggingService.Tests.Reliability;

/// <summary>
/// Transactions with recorded events of a real Synapse: randomly damaged events between valid ones, which are unchanged except
/// for new ids. The same seed creates the same bodies.
/// </summary>
internal sealed class MutatedTraffic(int seed)
{
    private static readonly byte[][] Recorded = [.. ReadEvents()];
    private static readonly string[] WrongValues =
    [
        "null", "true", "[]", "{}", "\"\"", "0", "-1", "1e400", "-0.0", "9223372036854775808", "123456789012345678901234567890.5e-999",
        "[[],{}]", "{\"\":{\"\":0}}", "\"\\ud800\"", "\"\\udc00\\ud800x\"", "\"\\u0000\\u001b[2J\\r\\n*** @alice:localhost\"",
        "\"\u202Eevil\u2066\u061C\u2028\u2029\u200F\uFEFF\"", "\"\u0085\u009B31m\u007F\"", "\"!\"", "\"!../../x:y\"", "\"$good1\"",
        "\"@alice:localhost> hello\"", "\"m.room.message\"", "\"m.room.member\"", "\"m.room.redaction\"", "\"m.reaction\"",
        "\"m.poll.start\"", "\"\\\\\\\"\\/\\b\\f\"",
    ];

    private static readonly byte[][] HostileBytes =
    [
        [0], [0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], "\""u8.ToArray(), "\\"u8.ToArray(), "]}"u8.ToArray(),
        ","u8.ToArray(), "\\ud83d"u8.ToArray(), "\r\n"u8.ToArray(), "{\"a\":"u8.ToArray(),
    ];

    private static readonly string[] Endings = ["],\"events\":7e1}", "],\"ephemeral\":[{}],\"x\":[[\"\\ud800\"]]}", " \r\n]\t}\n"];
    private readonly Random _random = new(seed);
    private int _created;

    /// <summary>An event that must be logged if its body is acknowledged.</summary>
    public sealed record Good(string Room, string Id, byte[] Json);

    /// <summary>A body, with the valid events in it.</summary>
    public sealed record Body(byte[] Bytes, IReadOnlyList<Good> Good);

    public Body Next()
    {
        var good = new List<Good>();
        var events = new List<byte[]>();
        for (var i = _random.Next(1, 5); i > 0; i--)
            events.Add(_random.Next(3) == 0 ? Add(good) : CreateDamaged());
        events.Add(Add(good));
        var end = Endings.ElementAtOrDefault(_random.Next(30)) ?? "]}";
        byte[] body = [.. "{\"events\":["u8, .. Join(events), .. Encoding.ASCII.GetBytes(end)];

        // Sometimes the whole body is damaged, including valid events.
        return new(_random.Next(10) == 0 ? DamageBytes(body) : body, good);
    }

    private byte[] Add(List<Good> good)
    {
        // Hashed ids: no damage turns one into another.
        _created++;
        var room = $"!good{_random.Next(20)}:localhost";
        var id = $"$good{Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes($"{seed}.{_created}")))}";
        good.Add(new(room, id, WithIds(Pick(Recorded), room, id)));
        return good[^1].Json;
    }

    private byte[] CreateDamaged()
    {
        _created++;
        var e = WithIds(Pick(Recorded), $"!good{_random.Next(20)}:localhost", $"$bad{seed}.{_created}");
        for (var i = _random.Next(1, 4); i > 0; i--)
            e = _random.Next(4) == 0 ? DamageBytes(e) : DamageJson(e);
        return e;
    }

    private byte[] DamageBytes(byte[] bytes)
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
            case 2: return [.. bytes[..at], .. Pick(HostileBytes), .. bytes[at..]];
            case 3: return [.. bytes[..at], .. slice, .. slice, .. bytes[(at + length)..]];
            default: return _random.Next(20) == 0 ? bytes[..at] : bytes;
        }
    }

    /// <summary>Replaces a value, or duplicates, removes or renames a key. Leaves invalid JSON unchanged.</summary>
    private byte[] DamageJson(byte[] json)
    {
        var tokens = new List<(JsonTokenType Type, int Start, int End)>();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = int.MaxValue });
        try
        {
            while (reader.Read())
            {
                var type = reader.TokenType;
                var end = reader;
                if (type is JsonTokenType.StartArray or JsonTokenType.StartObject)
                    end.Skip();
                if (type is not (JsonTokenType.EndArray or JsonTokenType.EndObject))
                    tokens.Add((type, (int)reader.TokenStartIndex, (int)end.BytesConsumed));
            }
        }
        catch (JsonException)
        {
            return json;
        }

        var (picked, from, to) = tokens[_random.Next(tokens.Count)];
        if (picked != JsonTokenType.PropertyName)
            return [.. json[..from], .. CreateValue(json, tokens), .. json[to..]];

        // The token of a name includes its colon; the next token is the value.
        var memberEnd = tokens.First(token => token.Start >= to).End;
        var member = json.AsSpan(from, memberEnd - from).ToArray();
        return _random.Next(4) switch
        {
            0 => [.. json[..from], .. member, .. ","u8, .. json[from..]],
            1 => [.. json[..from], .. "\"x\":0"u8, .. json[memberEnd..]],
            2 => [.. json[..from], .. json[from..to], .. CreateValue(json, tokens), .. ","u8, .. json[from..]],
            _ => [.. json[..from], .. "\"\\ud800\\u0065\":"u8, .. json[to..]],
        };
    }

    private byte[] CreateValue(byte[] json, List<(JsonTokenType Type, int Start, int End)> tokens)
    {
        switch (_random.Next(8))
        {
            case 0:
                var depth = _random.Next(1, 2000);
                return Encoding.ASCII.GetBytes(new string('[', depth) + new string(']', depth));
            case 1:
                var deepObject = string.Concat(Enumerable.Repeat("{\"a\":", 300)) + "1" + new string('}', 300);
                return Encoding.ASCII.GetBytes(deepObject);
            case 2:
                // Another value of the same event, such as a sender in place of a room.
                var (type, start, end) = tokens[_random.Next(tokens.Count)];
                return type == JsonTokenType.PropertyName ? "\"m.x\""u8.ToArray() : json[start..end];
            case 3:
                return Encoding.UTF8.GetBytes($"\"{new string((char)_random.Next(0xA0, 0xD800), _random.Next(1, 3000))}\"");
            case 4:
                return [.. "\""u8, .. Pick(HostileBytes), .. "\""u8];
            default:
                return Encoding.UTF8.GetBytes(Pick(WrongValues));
        }
    }

    private T Pick<T>(T[] values) => values[_random.Next(values.Length)];

    private static IEnumerable<byte> Join(List<byte[]> events) => events.SelectMany((e, i) => i == 0 ? e : e.Prepend((byte)','));

    private static byte[] WithIds(byte[] json, string room, string id)
    {
        Assert.True(RawJson.TryParse(json, out var e, out _));
        var oldId = Encoding.UTF8.GetString(e["event_id"u8].Bytes.Span);
        var oldRoom = Encoding.UTF8.GetString(e["room_id"u8].Bytes.Span);
        var text = Encoding.UTF8.GetString(json)
            .Replace($"\"event_id\":{oldId}", $"\"event_id\":\"{id}\"")
            .Replace($"\"room_id\":{oldRoom}", $"\"room_id\":\"{room}\"");
        return Encoding.UTF8.GetBytes(text);
    }

    private static IEnumerable<byte[]> ReadEvents()
    {
        var recordings = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Traffic"), "*.jsonl");
        foreach (var name in recordings.Order(StringComparer.Ordinal).Select(Path.GetFileNameWithoutExtension))
        {
            foreach (var request in RecordedTraffic.Read(name!).Where(request => request.Method == "PUT"))
            {
                Assert.True(RawJson.TryParse(Encoding.UTF8.GetBytes(request.Body), out var body, out _));
                foreach (var e in body["events"u8].Items())
                    yield return e.Bytes.ToArray();
            }
        }
    }
}
