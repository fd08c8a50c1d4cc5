using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bench;

/// <summary>
/// A request whose events are those that a real Synapse pushed: messages of all kinds, replies, edits, reactions. They refer to the
/// events that they referred to there, in the same room. It is built once; a transaction overwrites only numbers of fixed width in it,
/// so that the load generator takes little of the machine.
/// </summary>
internal sealed partial class TransactionTemplate
{
    private const int Digits = 13;
    private const char Transaction = '\u0001';
    private const char Own = '\u0002';
    private const char Room = '\u0003';
    private const char Earlier = '\u0004';
    private const char Time = '\u0005';
    private static readonly (string Json, int[] Distances)[] Shapes = ReadShapes();
    private readonly Rooms _rooms;
    private readonly byte[] _request;
    private readonly int _headLength;
    private readonly List<(int Offset, char Kind, int Event, int Distance)> _slots = [];

    public TransactionTemplate(int events, Rooms rooms)
    {
        Events = events;
        _rooms = rooms;
        var body = $"{{\"events\":[{string.Join(',', Enumerable.Range(0, events).Select(i => Shapes[i % Shapes.Length].Json))}]}}";
        _request = Encoding.UTF8.GetBytes(Connection.Head(Slot(Transaction), Encoding.UTF8.GetByteCount(body)) + body);
        _headLength = _request.Length - Encoding.UTF8.GetByteCount(body);
        var distances = Enumerable.Range(0, events).SelectMany(i => Shapes[i % Shapes.Length].Distances).GetEnumerator();
        var currentEvent = -1;
        for (var offset = 0; offset < _request.Length; offset++)
        {
            var kind = (char)_request[offset];
            if (kind is >= Transaction and <= Time)
            {
                currentEvent += kind == Own ? 1 : 0;
                var distance = kind == Earlier && distances.MoveNext() ? distances.Current : 0;
                _slots.Add((offset, kind, currentEvent, distance));
                offset += Digits - 1;
            }
        }
    }

    public int Events { get; }

    /// <summary>Returns the request with the events from a number on; every call returns the same memory.</summary>
    public ReadOnlySpan<byte> Fill(long firstEvent)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        foreach (var (offset, kind, e, distance) in _slots)
        {
            var number = firstEvent + e;
            Write(offset, kind switch
            {
                Transaction => _rooms.First + firstEvent,
                Own => _rooms.First + number,
                Room => _rooms.Of(number),
                Earlier => _rooms.First + Math.Max(0, _rooms.Before(number, distance)),
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

    private static (string Json, int[] Distances)[] ReadShapes()
    {
        using var recording = new StreamReader(typeof(TransactionTemplate).Assembly.GetManifestResourceStream("everyday.jsonl")!);
        var shapes = new List<(string Json, int[] Distances)>();
        var ids = new List<string>();
        while (recording.ReadLine() is { } line)
        {
            var request = JsonNode.Parse(line)!;
            if (request["method"]!.GetValue<string>() != "PUT")
            {
                continue;
            }

            var events = JsonNode.Parse(request["body"]!.GetValue<string>())!["events"]!.AsArray();
            foreach (var e in events.Select(e => e!.AsObject()).Where(IsUsed))
            {
                shapes.Add(ToShape(e, ids));
                ids.Add(e["event_id"]!.GetValue<string>());
            }
        }

        return [.. shapes];
    }

    private static bool IsUsed(JsonObject e) =>
        e["state_key"] is null
        && e["type"]!.GetValue<string>() is "m.room.message" or "m.reaction" or "m.sticker"
        && e.ToJsonString().Length < 1500;

    /// <summary>
    /// The event as Synapse writes it, with slots for the numbers, and how far back its references go. The event id comes first.
    /// </summary>
    private static (string Json, int[] Distances) ToShape(JsonObject e, List<string> earlier)
    {
        e = e.DeepClone().AsObject();
        e.Remove("event_id");
        e.Remove("origin_server_ts");
        e["room_id"] = Rooms.Id(Slot(Room));
        ReplaceReferences(e["content"]!, earlier);
        var json = e.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json = json.Replace("\\u0003", "\u0003");
        var distances = Reference().Matches(json).Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        return ($"{{\"event_id\":\"${EventId(Own)}\",\"origin_server_ts\":{Slot(Time)},{Reference().Replace(json, EventId(Earlier))[1..]}",
            [.. distances]);
    }

    private static void ReplaceReferences(JsonNode content, List<string> earlier)
    {
        if (content["m.relates_to"] is JsonObject relation)
        {
            var references = new[] { relation, relation["m.in_reply_to"] as JsonObject };
            foreach (var reference in references.Where(reference => reference?["event_id"] is not null))
            {
                var index = earlier.IndexOf(reference!["event_id"]!.GetValue<string>());
                reference["event_id"] = $"$earlier-{(index < 0 ? 1 : earlier.Count - index)}";
            }
        }
    }

    [GeneratedRegex(@"(?<=\$)earlier-(\d+)")]
    private static partial Regex Reference();

    private static string Slot(char kind) => new(kind, Digits);

    private static string EventId(char kind) => $"benchmark-{Slot(kind)}-abcdefghijklmnopqrst";
}
