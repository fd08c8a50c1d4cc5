using System.Text;
using LoggingService.Files;

namespace LoggingService.Tests;

/// <summary>File names of rooms and aliases: distinct ids have distinct names, and no name leaves the folder.</summary>
public class FolderNameTests
{
    [Theory]
    [InlineData("!QkWxAbc:example.org", "!QkWxAbc:example.org")]
    [InlineData("!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM", "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM")]
    [InlineData("!", "!")]
    [InlineData("!..", "!..")]
    [InlineData("!../../etc:x", "!..%2F..%2Fetc:x")]
    [InlineData("!a b\0\n:x", "!a%20b%00%0A:x")]
    [InlineData("!é漢😀\u202Ex", "!é漢%F0%9F%98%80%E2%80%AEx")]
    [InlineData("!%2F~!", "!%252F%7E%21")]
    public void A_room_id_keeps_letters_digits_and_some_punctuation(string roomId, string folder) =>
        Assert.Equal(folder, FolderName.ForRoom(roomId));

    [Theory]
    [InlineData("logged_test", "logged_test")]
    [InlineData("", "%")]
    [InlineData(".", "%2E")]
    [InlineData("..", "%2E.")]
    [InlineData(".journal", "%2Ejournal")]
    [InlineData("-rf", "%2Drf")]
    [InlineData("!abc", "%21abc")]
    [InlineData("logged_a/b", "logged_a%2Fb")]
    [InlineData("logged_..", "logged_..")]
    [InlineData("a:b", "a%3Ab")]
    public void The_link_of_an_alias_starts_with_no_dot_dash_or_exclamation_mark(string localpart, string link) =>
        Assert.Equal(link, FolderName.ForAlias(localpart));

    [Fact]
    public void All_names_of_up_to_two_special_characters_are_distinct_and_inside_the_folder()
    {
        char[] alphabet =
        [
            .. Enumerable.Range(0, 256).Select(c => (char)c),
            '\u0130', '\u0131', '\u0301', '\u0416', '\u200B', '\u200F', '\u202E', '\u2028', '\u2044', '\u2215', '\u212A', '\u3000',
            '\u4E00', '\uD83D', '\uD800', '\uDE00', '\uDFFF', '\uE000', '\uFEFF', '\uFF0E', '\uFF0F', '\uFFFD', '\uFFFE', '\uFFFF',
        ];
        List<string> names = ["", .. alphabet.Select(c => c.ToString()), .. from a in alphabet from b in alphabet select $"{a}{b}"];
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var room = FolderName.ForRoom("!" + name);
            var alias = FolderName.ForAlias(name);
            Assert.True(found.Add(room), $"{Escape(name)} has the folder of another room");
            Assert.True(found.Add(alias), $"{Escape(name)} has the link of another alias");
            AssertSafe(room);
            AssertSafe(alias);
            Assert.StartsWith("!", room, StringComparison.Ordinal);
            Assert.DoesNotContain(alias[0], "!.-");
        }
    }

    [Fact]
    public void Long_names_fit_and_are_distinct()
    {
        string[] letters = ["a", "漢", "/", "😀", "\uD800", "𝒜"];
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var letter in letters)
        {
            for (var length = 1; length <= 260; length++)
            {
                var name = string.Concat(Enumerable.Repeat(letter, length));
                string[] folders =
                [
                    FolderName.ForRoom("!" + name), FolderName.ForAlias(name), FolderName.ForAlias(name + "b"),
                    FolderName.ForRoom("!" + name + "b"),
                ];
                foreach (var folder in folders)
                {
                    Assert.True(found.Add(folder), $"{length} of {Escape(letter)}");
                    Assert.InRange(Encoding.UTF8.GetByteCount(folder), 1, 200);
                    AssertSafe(folder);
                }
            }
        }
    }

    [Fact]
    public void No_short_name_has_the_folder_of_a_long_one()
    {
        var folder = FolderName.ForAlias(new string('a', 300));
        Assert.Contains('~', folder);
        Assert.NotEqual(folder, FolderName.ForAlias(folder));
    }

    private static void AssertSafe(string name)
    {
        Assert.Equal("/logs/" + name, Path.GetFullPath(Path.Combine("/logs", name)));
        Assert.All(name, c => Assert.False(char.IsControl(c) || char.IsWhiteSpace(c) || c is '/' or '\\'));

        // The name survives UTF-8: no unpaired surrogate becomes U+FFFD.
        Assert.Equal(name, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name)));
    }

    private static string Escape(string name) => string.Concat(name.Select(c => $"\\u{(int)c:X4}"));
}
