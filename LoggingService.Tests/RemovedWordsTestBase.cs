using LoggingService.Tests.Support;

namespace LoggingService.Tests;

/// <summary>Events of one room, some of which are removed.</summary>
public abstract class RemovedWordsTestBase
{
    protected const string Secret = "my secret token";
    protected static readonly DateTimeOffset Noon = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);
    private int _count;

    protected string Room { get; } = Some.RoomId();

    protected static string Text(string body, string? relatesTo = null) =>
        $"{{\"msgtype\":\"m.text\",\"body\":\"{body}\"{(relatesTo is null ? "" : $",\"m.relates_to\":{relatesTo}")}}}";

    /// <summary>Messages with secret words of alice, an edit of another one and a reaction to the first; then each is removed.</summary>
    private protected Task PushSecretsAsync(ServiceUnderTest service, params string[] then) => PushAsync(
        service,
        [
            Event("$secret", "@alice:localhost", "m.room.message", Text(Secret), 0),
            Event(
                "$poll", "@alice:localhost", "m.poll.start",
                """{"m.poll":{"question":{"m.text":[{"body":"my secret?"}]},"answers":[{"m.id":"1","m.text":[{"body":"yes"}]}]}}""", 1),
            Edit("$edit", "$secret", "my secret token 2", 2),
            Event("$reaction", "@bob:localhost", "m.reaction",
                """{"m.relates_to":{"rel_type":"m.annotation","event_id":"$secret","key":"❤️"}}""", 3),
            Redaction("$r1", "$secret"),
            Redaction("$r2", "$poll"),
            .. then,
        ]);

    protected string Reply(string id, string target) =>
        Event(id, "@bob:localhost", "m.room.message", Text("why?", $$$"""{"m.in_reply_to":{"event_id":"{{{target}}}"}}"""), 50);

    protected string Edit(string id, string target, string body, int second = 60, string sender = "@alice:localhost") => Event(
        id, sender, "m.room.message",
        $$$"""{"msgtype":"m.text","body":"* {{{body}}}","m.new_content":{"msgtype":"m.text","body":"{{{body}}}"},"m.relates_to":"""
            + $$$"""{"rel_type":"m.replace","event_id":"{{{target}}}"}}""",
        second);

    protected string Redaction(string id, string target) =>
        Event(id, "@alice:localhost", "m.room.redaction", $$"""{"redacts":"{{target}}"}""", 70, $",\"redacts\":\"{target}\"");

    protected string Event(string id, string sender, string type, string content, int second, string more = "")
    {
        var time = Noon.AddSeconds(second).ToUnixTimeMilliseconds();
        return $"{{\"event_id\":\"{id}\",\"room_id\":\"{Room}\",\"sender\":\"{sender}\",\"type\":\"{type}\",\"origin_server_ts\":{time},"
            + $"\"content\":{content}{more}}}";
    }

    private protected async Task PushAsync(ServiceUnderTest service, params string[] events) =>
        Assert.Equal(200, (await service.PushAsync($"{_count++}", events)).Status);
}
