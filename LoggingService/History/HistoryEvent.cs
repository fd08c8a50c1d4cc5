namespace LoggingService.History;

/// <summary>An event as the client API shows it, which has more than a pushed one.</summary>
internal static class HistoryEvent
{
    private static ReadOnlySpan<byte> Relations => "m.relations"u8;

    /// <summary>
    /// Reads an event of a room's history, without <c>m.relations</c> of its <c>unsigned</c>: these are later events as a whole, such as
    /// its newest edit, which may be ones that must not be logged. <c>null</c> if it is no event of the room.
    /// </summary>
    public static RoomEvent? Read(RawJson json, string roomId)
    {
        var e = RoomEvent.FromJournal(json.Bytes, isNote: false);
        if (e is null || e.RoomId != roomId)
        {
            return null;
        }

        return e.Unsigned[Relations].Bytes.IsEmpty ? e : RoomEvent.FromJournal(WithoutRelations(e), isNote: false);
    }

    private static byte[] WithoutRelations(RoomEvent e)
    {
        var json = e.Json.Bytes.Span;
        var unsigned = e.Unsigned.Bytes.Span;
        json.Overlaps(unsigned, out var offset);
        var output = new MemoryStream(json.Length);
        output.Write(json[..offset]);
        output.WriteByte((byte)'{');
        var isFirst = true;
        for (var cursor = new JsonCursor(unsigned); cursor.MoveNext();)
        {
            var name = cursor.ReadName();
            var value = unsigned[cursor.ReadValue()];
            if (JsonString.AreEqual(name, Relations))
            {
                continue;
            }

            output.Write(isFirst ? "\""u8 : ",\""u8);
            output.Write(name);
            output.Write("\":"u8);
            output.Write(value);
            isFirst = false;
        }

        output.WriteByte((byte)'}');
        output.Write(json[(offset + unsigned.Length)..]);
        return output.ToArray();
    }
}
