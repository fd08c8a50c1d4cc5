using System.Text;
using System.Text.Json;

namespace LoggingService.Events;

/// <summary>Where the parts of an event are that the service uses: ranges of the event's bytes, empty if missing.</summary>
internal struct EventParts
{
    // The objects of which several members are read: m.relates_to, m.new_content, info.
    private const int ContentLevels = 1;

    public Range RoomId;
    public Range EventId;
    public Range Type;
    public Range Sender;
    public Range StateKey;
    public Range Content;
    public JsonMember[]? ContentMembers;
    public Range OriginServerTs;
    public Range Unsigned;
    public Range ReceivedTs;

    /// <summary>Reads an object from its first token to its last; the last of equal keys is used.</summary>
    public static EventParts Read(ref Utf8JsonReader reader)
    {
        var parts = default(EventParts);
        var start = reader.TokenStartIndex;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(JsonString.Decode(reader.ValueSpan)) : reader.ValueSpan;
            reader.Read();
            var begin = (int)(reader.TokenStartIndex - start);
            if (name.SequenceEqual("content"u8))
            {
                parts.ContentMembers = reader.TokenType == JsonTokenType.StartObject ? JsonMember.ReadAll(ref reader, ContentLevels) : null;
            }

            // Does nothing at the end of an object.
            reader.Skip();
            parts.Set(name, begin..(int)(reader.BytesConsumed - start));
        }

        return parts;
    }

    private void Set(ReadOnlySpan<byte> name, Range value)
    {
        if (name.SequenceEqual("room_id"u8))
        {
            RoomId = value;
        }
        else if (name.SequenceEqual("event_id"u8))
        {
            EventId = value;
        }
        else if (name.SequenceEqual("type"u8))
        {
            Type = value;
        }
        else if (name.SequenceEqual("sender"u8))
        {
            Sender = value;
        }
        else if (name.SequenceEqual("state_key"u8))
        {
            StateKey = value;
        }
        else if (name.SequenceEqual("content"u8))
        {
            Content = value;
        }
        else if (name.SequenceEqual("origin_server_ts"u8))
        {
            OriginServerTs = value;
        }
        else if (name.SequenceEqual("unsigned"u8))
        {
            Unsigned = value;
        }
        else if (name.SequenceEqual("received_ts"u8))
        {
            ReceivedTs = value;
        }
    }
}
