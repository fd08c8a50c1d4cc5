using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using LoggingService.Events;

namespace LoggingService.Tests;

/// <summary>RawJson returns the values that JsonDocument returns.</summary>
public class RawJsonTests
{
    private static readonly Gen<string> Space = Gen.Frequency((3, Gen.Constant("")), (1, Gen.Elements(" ", "\n", "\r\n\t ", "  ")));

    private static readonly Gen<string> Scalar = Gen.Elements(
        "\"\"", "\"hello\"", "\"a \\\"quote\\\"\"", "\"\\\\\"", "\"\\\\\\\"\"", "\"{[,:]}\"", "\"\\u0022\"", "\"é🙂\"",
        "0", "-1.5e+30", "1E400", "true", "false", "null");

    private static readonly Gen<string> Key = Gen.Elements(
        "\"\"", "\"body\"", "\"b\\u006fdy\"", "\"a\\\\\"", "\"a\\\"b\"", "\"{\"", "\"]\"", "\"é\"", "\"m.relates_to\"");

    [Fact]
    public void Every_lookup_returns_the_value_that_JsonDocument_returns() =>
        Prop.ForAll(Spaced(Value(4)).ToArbitrary(), text =>
        {
            Assert.True(RawJson.TryParse(Encoding.UTF8.GetBytes(text), out var ours, out var error), error);
            using var theirs = JsonDocument.Parse(text);
            Same(theirs.RootElement, ours);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(5_000));

    [Fact]
    public void Fields_of_an_event_are_read_by_their_decoded_keys_and_the_last_of_equal_keys_is_used()
    {
        const string Json = """
            { "room_id":1, "room\u005fid":"!r:x", "event_id":"$e", "type":"a", "type":"org.matrix.msc3381.poll.start", "sender":"@b:x",
              "state_key":"k", "content":{"n":1}, "content":{"n":2}, "origin_server_ts":5, "unsigned":{"age":3}, "sender":[] }
            """;
        var e = RoomEvent.FromRecord(Encoding.UTF8.GetBytes(Json))!;

        Assert.Equal(("!r:x", "$e", "k"), (e.RoomId, e.EventId, e.StateKey));
        Assert.Equal(("org.matrix.msc3381.poll.start", "m.poll.start"), (e.Type, e.CanonicalType));
        Assert.Null(e.Sender);
        Assert.Equal("{\"n\":2}", e.Content.ToCompactText().ToString());
        Assert.Equal(5, e.OriginServerTs);
        Assert.Equal(3, e.Unsigned["age"u8].AsInteger());
    }

    private static Gen<string> Spaced(Gen<string> token) =>
        from before in Space
        from one in token
        from after in Space
        select before + one + after;

    private static Gen<string> Value(int depth) => depth == 0
        ? Scalar
        : Gen.Frequency(
            (2, Scalar),
            (2, Spaced(Value(depth - 1)).ArrayOf().Resize(4).Select(items => $"[{(items.Length == 0 ? " " : string.Join(',', items))}]")),
            (3, Member(depth - 1).ArrayOf().Resize(5).Select(members => $"{{{string.Join(',', members)}}}")));

    private static Gen<string> Member(int depth) =>
        from key in Spaced(Key)
        from value in Spaced(Value(depth))
        select $"{key}:{value}";

    private static void Same(JsonElement theirs, RawJson ours)
    {
        Assert.Equal(theirs.ValueKind, ours.Kind);
        Assert.Equal(theirs.GetRawText(), Encoding.UTF8.GetString(ours.Bytes.Span));
        Assert.Equal(theirs.ValueKind == JsonValueKind.Object && !theirs.EnumerateObject().Any(), ours.IsEmptyObject);
        switch (theirs.ValueKind)
        {
            case JsonValueKind.Object:
                var members = theirs.EnumerateObject().GroupBy(m => m.Name).ToDictionary(same => same.Key, same => same.Last().Value);
                Assert.Equal(members.Keys.Order(), ours.Members().Keys.Select(static key => key.ToString()).Order());
                Assert.Equal(JsonValueKind.Undefined, ours["missing"u8].Kind);
                foreach (var (name, value) in members)
                {
                    Same(value, ours[Encoding.UTF8.GetBytes(name)]);
                    Same(value, ours.Members()[Utf8Text.From(name)]);
                }

                break;
            case JsonValueKind.Array:
                var items = ours.Items();
                Assert.Equal(theirs.GetArrayLength(), items.Count);
                foreach (var (item, same) in theirs.EnumerateArray().Zip(items))
                    Same(item, same);
                break;
            case JsonValueKind.String:
                Assert.Equal(theirs.GetString(), ours.AsString());
                break;
            default:
                break;
        }
    }
}
