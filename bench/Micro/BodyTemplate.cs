using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bench;

/// <summary>
/// A transaction body with events as a real Synapse pushed them: messages of all kinds, replies, edits, reactions. It is
/// built once; for each transaction only the numbers in it are overwritten: of each event, of its room, and of the
/// earlier event in its room that it refers to.
/// </summary>
internal sealed class BodyTemplate
{
    private const int Digits = 12;
    private const char Own = '\u0001';
    private const char Room = '\u0002';
    private const char Earlier = '\u0003';
    private static readonly string[] Shapes = ReadShapes();
    private readonly byte[] _body;
    private readonly List<(int Offset, char Kind, int Event)> _slots = [];
    private readonly int _rooms;
    private readonly int _firstRoom;

    /// <param name="events">The number of events.</param>
    /// <param name="rooms">The number of rooms that the events are spread over in turn; 0: a new room for each event.</param>
    /// <param name="firstRoom">The number of the first room.</param>
    public BodyTemplate(int events, int rooms, int firstRoom = 0)
    {
        Events = events;
        _rooms = rooms;
        _firstRoom = firstRoom;
        var json = string.Join(',', Enumerable.Range(0, events).Select(i => Shapes[i % Shapes.Length]));
        _body = Encoding.UTF8.GetBytes($"{{\"events\":[{json}]}}");
        var currentEvent = -1;
        for (var offset = 0; offset < _body.Length; offset++)
        {
            var kind = (char)_body[offset];
            if (kind is Own or Room or Earlier && _body.AsSpan(offset).StartsWith(Enumerable.Repeat((byte)kind, Digits).ToArray()))
            {
                currentEvent += kind == Own ? 1 : 0;
                _slots.Add((offset, kind, currentEvent));
                offset += Digits - 1;
            }
        }
    }

    public int Events { get; }

    /// <summary>Returns the body with the numbers of a transaction; every call returns the same memory.</summary>
    /// <param name="firstEvent">The number of the first event within the scenario.</param>
    public ReadOnlyMemory<byte> Fill(long firstEvent)
    {
        foreach (var (offset, kind, e) in _slots)
        {
            var number = firstEvent + e;
            Write(offset, kind switch
            {
                Room => _firstRoom + (_rooms == 0 ? number : number % _rooms),
                Earlier => Math.Max(0, number - Math.Max(1, _rooms)),
                _ => number,
            });
        }

        return _body;
    }

    private void Write(int offset, long number)
    {
        for (var i = Digits - 1; i >= 0; i--)
        {
            _body[offset + i] = (byte)('0' + number % 10);
            number /= 10;
        }
    }

    private static string[] ReadShapes()
    {
        using var recording = new StreamReader(typeof(BodyTemplate).Assembly.GetManifestResourceStream("everyday.jsonl")!);
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
        e["room_id"] = $"!room-{Slot(Room)}:example.org";
        ReplaceReferences(e["content"]!);
        var json = e.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        return $"{{\"event_id\":\"${EventId(Own)}\",{json[1..]}".Replace("\\u0002", "\u0002").Replace("\\u0003", "\u0003");
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
