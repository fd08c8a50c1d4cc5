using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bench;

/// <summary>
/// Transactions' bodies in the shapes that a real Synapse pushed: messages of all kinds, replies, edits, reactions. A body
/// is made beforehand; before it is sent only the numbers in it are written anew: each event's own, its room's, and that
/// of the earlier event in its room that it refers to.
/// </summary>
internal sealed class Bodies
{
    private const int Digits = 12;
    private const char Own = '\u0001', Room = '\u0002', Earlier = '\u0003';
    private static readonly string[] Shapes = ReadShapes();
    private readonly byte[] _body;
    private readonly List<(int Offset, char Kind, int Event)> _slots = [];
    private readonly int _events;
    private readonly int _rooms;

    /// <summary>Makes the body.</summary>
    /// <param name="events">How many events it has.</param>
    /// <param name="rooms">Over how many rooms they go, one after the other; 0: a new room for each event.</param>
    /// <param name="first">The number of the first room.</param>
    public Bodies(int events, int rooms, int first = 0)
    {
        (_events, _rooms, FirstRoom) = (events, rooms, first);
        _body = Encoding.UTF8.GetBytes($"{{\"events\":[{string.Join(',', Enumerable.Range(0, events).Select(i => Shapes[i % Shapes.Length]))}]}}");
        for (int at = 0, e = -1; at < _body.Length; at++)
        {
            var kind = (char)_body[at];
            if (kind is Own or Room or Earlier && _body.AsSpan(at).StartsWith(Enumerable.Repeat((byte)kind, Digits).ToArray()))
            {
                e += kind == Own ? 1 : 0;
                _slots.Add((at, kind, e));
                at += Digits - 1;
            }
        }
    }

    /// <summary>The number of the first room, so that scenarios don't share rooms.</summary>
    public int FirstRoom { get; }

    /// <summary>The body with its numbers written for a transaction; the same memory each time.</summary>
    /// <param name="firstEvent">The number of its first event, of all events that are sent in the scenario.</param>
    public ReadOnlyMemory<byte> For(long firstEvent)
    {
        foreach (var (offset, kind, e) in _slots)
        {
            var number = firstEvent + e;
            Write(offset, kind switch
            {
                Room => FirstRoom + (_rooms == 0 ? number : number % _rooms),
                Earlier => Math.Max(0, number - Math.Max(1, _rooms)),
                _ => number,
            });
        }

        return _body;
    }

    /// <summary>How many events the body has.</summary>
    public int Events => _events;

    private void Write(int offset, long number)
    {
        for (var i = Digits - 1; i >= 0; i--, number /= 10)
        {
            _body[offset + i] = (byte)('0' + number % 10);
        }
    }

    private static string[] ReadShapes()
    {
        using var recording = new StreamReader(typeof(Bodies).Assembly.GetManifestResourceStream("everyday.jsonl")!);
        var shapes = new List<string>();
        while (recording.ReadLine() is { } line)
        {
            var request = JsonNode.Parse(line)!;
            if (request["method"]!.GetValue<string>() != "PUT")
            {
                continue;
            }

            foreach (var e in JsonNode.Parse(request["body"]!.GetValue<string>())!["events"]!.AsArray())
            {
                if (e!["state_key"] is null && e["type"]!.GetValue<string>() is "m.room.message" or "m.reaction" or "m.sticker" && e.ToJsonString().Length < 1500)
                {
                    shapes.Add(Shape(e.AsObject()));
                }
            }
        }

        return [.. shapes];
    }

    /// <summary>The event as Synapse writes it, with our numbers: its own id first.</summary>
    private static string Shape(JsonObject e)
    {
        e = e.DeepClone().AsObject();
        e.Remove("event_id");
        e["room_id"] = $"!room-{Slot(Room)}:example.org";
        Refer(e["content"]!);
        var json = e.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        return $"{{\"event_id\":\"${EventId(Own)}\",{json[1..]}".Replace("\\u0002", "\u0002").Replace("\\u0003", "\u0003");
    }

    private static void Refer(JsonNode content)
    {
        if (content["m.relates_to"] is JsonObject relation)
        {
            foreach (var at in new[] { relation, relation["m.in_reply_to"] as JsonObject }.Where(at => at?["event_id"] is not null))
            {
                at!["event_id"] = $"${EventId(Earlier)}";
            }
        }
    }

    private static string Slot(char kind) => new(kind, Digits);

    private static string EventId(char kind) => $"benchmark-{Slot(kind)}-abcdefghijklmnopqrst";
}
