using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bench;

/// <summary>
/// A request whose events are those that a real Synapse pushed: messages of all kinds, replies, edits, reactions. It is built
/// once; a transaction overwrites only numbers of fixed width in it, so that the load generator takes little of the machine.
/// </summary>
internal sealed class TransactionTemplate
{
    private const int Digits = 13;
    private const char Transaction = '\u0001';
    private const char Own = '\u0002';
    private const char Room = '\u0003';
    private const char Earlier = '\u0004';
    private const char Time = '\u0005';
    private static readonly string[] Shapes = ReadShapes();
    private readonly Rooms _rooms;
    private readonly byte[] _request;
    private readonly int _headLength;
    private readonly List<(int Offset, char Kind, int Event)> _slots = [];

    public TransactionTemplate(int events, Rooms rooms)
    {
        Events = events;
        _rooms = rooms;
        var body = $"{{\"events\":[{string.Join(',', Enumerable.Range(0, events).Select(i => Shapes[i % Shapes.Length]))}]}}";
        _request = Encoding.UTF8.GetBytes(Connection.Head(Slot(Transaction), Encoding.UTF8.GetByteCount(body)) + body);
        _headLength = _request.Length - Encoding.UTF8.GetByteCount(body);
        var currentEvent = -1;
        for (var offset = 0; offset < _request.Length; offset++)
        {
            var kind = (char)_request[offset];
            if (kind is >= Transaction and <= Time)
            {
                currentEvent += kind == Own ? 1 : 0;
                _slots.Add((offset, kind, currentEvent));
                offset += Digits - 1;
            }
        }
    }

    public int Events { get; }

    /// <summary>Returns the request with the events from a number on; every call returns the same memory.</summary>
    public ReadOnlySpan<byte> Fill(long firstEvent)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        foreach (var (offset, kind, e) in _slots)
        {
            var number = firstEvent + e;
            Write(offset, kind switch
            {
                Transaction => _rooms.First + firstEvent,
                Own => _rooms.First + number,
                Room => _rooms.Of(number),
                Earlier => _rooms.First + Math.Max(0, number - Math.Max(1, _rooms.Count)),
                _ => now,
            });
        }

        return _request;
    }

    /// <summary>As <see cref="Fill"/>, without the head of the request.</summary>
    public ReadOnlySpan<byte> FillBody(long firstEvent) => Fill(firstEvent)[_headLength..];

    private void Write(int offset, long number)
    {
        for (var i = Digits - 1; i >= 0; i--)
        {
            _request[offset + i] = (byte)('0' + number % 10);
            number /= 10;
        }
    }

    private static string[] ReadShapes()
    {
        using var recording = new StreamReader(typeof(TransactionTemplate).Assembly.GetManifestResourceStream("everyday.jsonl")!);
        var shapes = new List<string>();
        while (recording.ReadLine() is { } line)
        {
            var request = JsonNode.Parse(line)!;
            if (request["method"]!.GetValue<string>() != "PUT")
            {
                continue;
            }

            var events = JsonNode.Parse(request["body"]!.GetValue<string>())!["events"]!.AsArray();
            shapes.AddRange(events.Select(e => e!.AsObject()).Where(IsUsed).Select(ToShape));
        }

        return [.. shapes];
    }

    private static bool IsUsed(JsonObject e) =>
        e["state_key"] is null
        && e["type"]!.GetValue<string>() is "m.room.message" or "m.reaction" or "m.sticker"
        && e.ToJsonString().Length < 1500;

    /// <summary>The event as Synapse writes it, with slots for the numbers. The event id comes first.</summary>
    private static string ToShape(JsonObject e)
    {
        e = e.DeepClone().AsObject();
        e.Remove("event_id");
        e.Remove("origin_server_ts");
        e["room_id"] = Rooms.Id(Slot(Room));
        ReplaceReferences(e["content"]!);
        var json = e.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json = json.Replace("\\u0003", "\u0003").Replace("\\u0004", "\u0004");
        return $"{{\"event_id\":\"${EventId(Own)}\",\"origin_server_ts\":{Slot(Time)},{json[1..]}";
    }

    private static void ReplaceReferences(JsonNode content)
    {
        if (content["m.relates_to"] is JsonObject relation)
        {
            var references = new[] { relation, relation["m.in_reply_to"] as JsonObject };
            foreach (var reference in references.Where(reference => reference?["event_id"] is not null))
            {
                reference!["event_id"] = $"${EventId(Earlier)}";
            }
        }
    }

    private static string Slot(char kind) => new(kind, Digits);

    private static string EventId(char kind) => $"benchmark-{Slot(kind)}-abcdefghijklmnopqrst";
}
