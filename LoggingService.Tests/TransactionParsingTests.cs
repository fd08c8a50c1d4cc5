using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using LoggingService.Events;
using LoggingService.Transactions;

namespace LoggingService.Tests;

/// <summary>The one pass over a body finds the events, and the parts of each, that JsonDocument finds.</summary>
public class TransactionParsingTests
{
    private static readonly Gen<string> Space = Gen.Frequency((4, Gen.Constant("")), (1, Gen.Elements(" ", "\n", "\r\n\t ")));

    private static readonly Gen<string> Value = Gen.Frequency(
        (3, Gen.Elements("\"!r:x\"", "\"$e\"", "\"\\u0021r\"", "\"\"", "\"m.call.notify\"", "\"r\"", "\"a\\\\\"")),
        (1, Gen.Elements("5", "-1e400", "true", "null", "[]", "{}", "{\"events\":[1]}", "[{\"room_id\":\"!x\"},[\"]\"]]")));

    private static readonly Gen<string> Key = Gen.Elements(
        "room_id", "event_id", "room\\u005fid", "event_id", "type", "sender", "state_key", "content", "\\u0063ontent", "origin_server_ts",
        "unsigned", "received_ts", "other", "room_id2", "");

    private static readonly Gen<string> Event = Gen.Frequency((9, Object(Key, Value)), (1, Value));

    private static readonly Gen<string> Events = Gen.Frequency(
        (9, Spaced(Event).ArrayOf().Resize(4).Select(items => $"[{string.Join(',', items)}]")),
        (1, Gen.Elements("null", "{}", "1", "\"events\"")));

    private static readonly Gen<string> Body = Gen.Frequency(
        (19, Spaced(Object(Gen.Elements("events", "events", "\\u0065vents", "ephemeral"), Events))), (1, Value));

    [Fact]
    public void Every_body_has_the_events_that_JsonDocument_finds() => Prop.ForAll(Body.ToArbitrary(), text =>
    {
        Assert.True(Transaction.TryParse(Encoding.UTF8.GetBytes(text), out var ours, out var error), error);

        using var document = JsonDocument.Parse(text);
        var body = document.RootElement;
        var items = body.ValueKind == JsonValueKind.Object && body.TryGetProperty("events"u8, out var last) ? last : default;
        if (body.ValueKind != JsonValueKind.Object
            || items.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null or JsonValueKind.Undefined))
        {
            Assert.Empty(ours.Events);
            Assert.Equal(new("JSON that is not a transaction", body.GetRawText()), Assert.Single(ours.Unloggable.Select(Describe)));
            return;
        }

        List<JsonElement> all = items.ValueKind == JsonValueKind.Array ? [.. items.EnumerateArray()] : [];
        var valid = all.Where(e => Reason(e) is null).ToList();
        Assert.Equal(valid.Select(e => e.GetRawText()), ours.Events.Select(e => Raw(e.Json)));
        Assert.Equal(
            all.Where(e => Reason(e) is not null).Select(e => (Reason(e)!, e.GetRawText())),
            ours.Unloggable.Select(Describe));
        Assert.All(ours.Events.Zip(valid), pair => AssertSame(pair.Second, pair.First));
        Assert.All(ours.Events, e => AssertSame(e, RoomEvent.FromRecord(e.Json.Bytes)!));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));

    [Theory]
    [InlineData("", 1, 1)]
    [InlineData("{\n\"events\":[],}", 2, 13)]
    [InlineData("{\"events\":[\n{\"a\":1]\n}", 2, 7)]
    [InlineData("{}\n\n {}", 3, 2)]
    public void The_reason_of_a_rejection_is_where_the_body_is_damaged(string body, int line, int position)
    {
        Assert.False(Transaction.TryParse(Encoding.UTF8.GetBytes(body), out _, out var error));
        Assert.Equal($"it is not JSON (line {line}, byte {position})", error);
    }

    [Fact]
    public void An_escaped_id_is_not_mistaken_for_one_that_is_spelled_like_the_escape()
    {
        string[] ids = ["!a\\\\u0062", "!a\\u0062", "!a\\\\u0062", "!ab"];
        var events = ids.Select((id, i) => $$"""{"room_id":"{{id}}","event_id":"$1","sender":"{{id}}","type":"{{id}}"}""");
        var body = Encoding.UTF8.GetBytes($"{{\"events\":[{string.Join(',', events)}]}}");
        Assert.True(Transaction.TryParse(body, out var transaction, out _));

        string[] decoded = ["!a\\u0062", "!ab", "!a\\u0062", "!ab"];
        Assert.Equal(decoded, transaction.Events.Select(e => e.RoomId));
        Assert.Equal(decoded, transaction.Events.Select(e => e.Sender));
        Assert.Equal(decoded, transaction.Events.Select(e => e.Type));
    }

    [Fact]
    public void Ids_that_are_cached_do_not_mix()
    {
        // More than the cache holds, twice.
        var ids = Enumerable.Range(0, 10_000).Select(i => $"!room{i}é:x"[..(i % 2 == 0 ? ^2 : ^3)]).ToList();
        var body = $"{{\"events\":[{string.Join(',', ids.Concat(ids).Select(id => $$"""{"room_id":"{{id}}","event_id":"$1"}"""))}]}}";
        Assert.True(Transaction.TryParse(Encoding.UTF8.GetBytes(body), out var transaction, out _));
        Assert.Equal(ids.Concat(ids), transaction.Events.Select(e => e.RoomId));
    }

    private static void AssertSame(JsonElement theirs, RoomEvent ours)
    {
        Assert.Equal(Text("room_id"), ours.RoomId);
        Assert.Equal(Text("event_id"), ours.EventId);
        Assert.Equal(Text("type"), ours.Type);
        Assert.Equal(Text("type") == "m.call.notify" ? "m.rtc.notification" : Text("type"), ours.CanonicalType);
        Assert.Equal(Text("sender"), ours.Sender);
        Assert.Equal(Text("state_key"), ours.StateKey);
        Assert.Equal(RawOf("content"), Raw(ours.Content));
        Assert.Equal(RawOf("unsigned"), Raw(ours.Unsigned));
        Assert.Equal(Integer("origin_server_ts"), ours.OriginServerTs);
        Assert.Equal(Integer("received_ts"), ours.ReceivedTs);

        string? Text(string name) => StringOf(theirs, name);

        string RawOf(string name) => theirs.TryGetProperty(name, out var value) ? value.GetRawText() : "";

        long? Integer(string name) => RawOf(name) switch { "5" => 5, "-1e400" => long.MinValue, _ => null };
    }

    private static void AssertSame(RoomEvent one, RoomEvent other) => Assert.Equal(
        (one.RoomId, one.EventId, one.Type, one.Sender, one.StateKey, Raw(one.Content), one.ReceivedTs),
        (other.RoomId, other.EventId, other.Type, other.Sender, other.StateKey, Raw(other.Content), other.ReceivedTs));

    private static string? Reason(JsonElement e)
    {
        if (e.ValueKind != JsonValueKind.Object)
            return "an event that is not a JSON object";
        if (StringOf(e, "room_id")?.StartsWith('!') != true)
            return "an event without a valid room id";
        return string.IsNullOrEmpty(StringOf(e, "event_id")) ? "an event without an event id" : null;
    }

    private static string? StringOf(JsonElement e, string name) =>
        e.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static (string Reason, string Text) Describe(Unloggable unloggable)
    {
        Assert.True(unloggable.IsJson);
        return (unloggable.Reason, Encoding.UTF8.GetString(unloggable.Bytes.Span));
    }

    private static string Raw(RawJson json) => Encoding.UTF8.GetString(json.Bytes.Span);

    private static Gen<string> Spaced(Gen<string> token) =>
        from before in Space
        from one in token
        from after in Space
        select before + one + after;

    private static Gen<string> Object(Gen<string> key, Gen<string> value) =>
        (from name in Spaced(key.Select(name => $"\"{name}\""))
         from one in Spaced(value)
         select $"{name}:{one}").ArrayOf().Resize(12).Select(members => $"{{{string.Join(',', members)}}}");
}
