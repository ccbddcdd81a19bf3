import "./helpers/failing" // expect runtime error: failed while loading
