using System.Text.Json;

namespace LoggingService.Tests.Support;

/// <summary>A public room in which people talk about tea for two days, with all that a page can show.</summary>
internal static class TeaHouse
{
    public const string Carol = "@carol:localhost";

    /// <summary>Logs the two days, and returns the id of a message of the second one.</summary>
    public static async Task<string> FillAsync(PublicRoom room)
    {
        await room.SetVisibilityAsync("world_readable");
        await room.StateAsync("m.room.name", """{"name":"Tea house"}""");
        await room.StateAsync("m.room.topic", """{"topic":"Leaves, water, patience. Be kind."}""");
        foreach (var (user, name) in ((string, string)[])[(PublicRoom.Alice, "Alice Älva"), (PublicRoom.Bob, "Bob"), (Carol, "キャロル")])
        {
            await room.StateAsync("m.room.member", $$"""{"membership":"join","displayname":"{{name}}"}""", user, user);
        }

        await room.SayAsync("Good morning! Who has tried the new sencha?");
        await room.SayAsync("Not yet.", PublicRoom.Bob);
        room.Time.Advance(TimeSpan.FromDays(2));
        await room.SayAsync("The water was too hot yesterday.");
        await room.SayAsync("70 °C is enough for it, see https://example.org/tea?leaf=green&time=2");
        var question = await room.SayAsync("How long do you let it steep?", PublicRoom.Bob);
        var answer = await ReplyAsync(room, "Three minutes", question);
        await EditAsync(room, "Two minutes, never more", answer);
        await ReactAsync(room, answer, "👍", PublicRoom.Bob);
        await ReactAsync(room, answer, "👍", Carol);
        await ReactAsync(room, answer, "🍵", Carol);
        room.Time.Advance(TimeSpan.FromMinutes(20));
        await SendAsync(room, Carol, new
        {
            msgtype = "m.text",
            body = "code",
            format = "org.matrix.custom.html",
            formatted_body = "A timer for <strong>all</strong> of you:<pre><code>sleep 120 &amp;&amp; echo \"the tea is ready, "
                + "drink it before it is cold or it will be bitter\"</code></pre>"
                + "<span data-mx-spoiler=\"the end\">the leaves unfold</span>",
        });
        await SendAsync(
            room, Carol, new { msgtype = "m.image", body = "teapot.png", info = new { size = 68_100 }, url = "mxc://localhost/a" });
        await room.SayAsync("שלום, תה ירוק בבקשה", PublicRoom.Bob);
        await room.SayAsync("お茶をどうぞ。漢字も探せます。", Carol);
        var wrong = await room.SayAsync("a word that I regret", PublicRoom.Bob);
        await room.PushAsync("m.room.redaction", """{"reason":"off topic"}""", PublicRoom.Alice, $",\"redacts\":\"{wrong}\"");
        await room.PushAsync("m.poll.start", JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["m.poll"] = new
            {
                kind = "m.disclosed",
                max_selections = 1,
                question = new Dictionary<string, object> { ["m.text"] = new[] { new { body = "Which one on Friday?" } } },
                answers = ((string[])["Sencha", "Oolong"]).Select(name => new Dictionary<string, object>
                {
                    ["m.id"] = name,
                    ["m.text"] = new[] { new { body = name } },
                }),
            },
            ["m.text"] = new[] { new { body = "Which one on Friday?" } },
        }));
        foreach (var user in (string[])["@dan:localhost", "@eve:localhost", "@finn:localhost"])
        {
            await room.StateAsync("m.room.member", """{"membership":"join"}""", user, user);
        }

        await room.SayAsync(string.Join('\n', Enumerable.Range(1, 30).Select(i => $"Rule {i}: taste before you talk.")));
        await ReactAsync(room, question, "❓", Carol);
        await room.SayAsync("See you at four.", PublicRoom.Bob);
        return answer;
    }

    public static Task<string> EditAsync(PublicRoom room, string body, string id, string sender = PublicRoom.Alice) =>
        SendAsync(room, sender, new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = $"* {body}",
            ["m.new_content"] = new { msgtype = "m.text", body },
            ["m.relates_to"] = new { rel_type = "m.replace", event_id = id },
        });

    public static Task<string> ReactAsync(PublicRoom room, string id, string key, string sender) => room.PushAsync(
        "m.reaction",
        JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["m.relates_to"] = new { rel_type = "m.annotation", event_id = id, key },
        }),
        sender);

    private static Task<string> ReplyAsync(PublicRoom room, string body, string id) =>
        SendAsync(room, PublicRoom.Alice, new Dictionary<string, object>
        {
            ["msgtype"] = "m.text",
            ["body"] = body,
            ["m.relates_to"] = new Dictionary<string, object> { ["m.in_reply_to"] = new { event_id = id } },
        });

    private static Task<string> SendAsync(PublicRoom room, string sender, object content) =>
        room.PushAsync("m.room.message", JsonSerializer.Serialize(content), sender);
}
